-- The same act for many orders: which orders were chosen, who prepared it and who started it. A reason must not hold
-- personal data: nothing here is encrypted.
create table bulk_actions (
  id uuid primary key,
  act text not null check (act in ('retry', 'refund', 'apologise')),
  selection jsonb not null,
  reason text not null check (length(reason) <= 500 and reason !~ '@|\d{7}'),
  -- orders of people who are erased later still count
  order_count integer not null,
  needs_second_operator boolean not null,
  state text not null check (state in ('prepared', 'running', 'paused', 'done', 'cancelled')),
  -- as the security log names them
  prepared_by text not null,
  prepared_at timestamptz not null,
  started_by text,
  started_at timestamptz,
  ended_at timestamptz,
  check (state in ('prepared', 'cancelled') or started_by is not null),
  -- Two operators stand behind a large sum, whatever path leads here.
  check (not needs_second_operator or started_by is null or started_by <> prepared_by)
);
create index bulk_actions_prepared on bulk_actions (prepared_at desc, id desc);

-- What a bulk action does to one order is an act like any other; `planned` until its turn comes.
alter table operator_acts
  add column bulk_action_id uuid references bulk_actions,
  add column attempts integer not null default 0,
  drop constraint operator_acts_state_check,
  add constraint operator_acts_state_check check (state in ('planned', 'asked', 'done', 'refused')),
  add constraint operator_acts_planned check (state <> 'planned' or bulk_action_id is not null);
create unique index operator_acts_bulk_action on operator_acts (bulk_action_id, order_id) where bulk_action_id is not null;
