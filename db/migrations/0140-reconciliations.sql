-- Runs that compare our books with those of Stripe and the eSIM providers, and the differences that each has found.
create table reconciliations (
  id uuid primary key,
  state text not null check (state in ('running', 'complete', 'incomplete')),
  started_at timestamptz not null,
  -- what was made at the outside parties before this time is not looked at
  read_from timestamptz not null,
  finished_at timestamptz,
  -- counts and sums
  report jsonb
);
create index reconciliations_started on reconciliations (started_at desc, id);

-- Differences that need an operator, or have one. Others are counted in the report only.
create table reconciliation_differences (
  reconciliation_id uuid not null references reconciliations on delete cascade,
  kind text not null,
  -- the order, or the outside party's id of what no order has
  subject_id text not null,
  detail text not null,
  -- when its subject came to be: what is older than the next run's `read_from` is carried over
  subject_at timestamptz not null,
  -- a rule of policy/reconciliation.ts
  explained_by text,
  primary key (reconciliation_id, kind, subject_id)
);
create index reconciliation_differences_subject on reconciliation_differences (subject_id);
create trigger protect_living before delete on reconciliation_differences
  for each row execute function protect_living('subject', 'subject_id');

-- Stripe's balance for each currency at the end of what a run has read, from which the next one goes on.
create table processor_balances (
  currency char(3) primary key,
  balance_minor bigint not null,
  -- balance transactions created up to this time are in the balance
  read_until timestamptz not null
);

-- Readings of the prepaid balances, in millionths of the currency's main unit.
create table provider_balances (
  provider text not null,
  read_at timestamptz not null,
  balance_micros bigint not null,
  currency char(3) not null,
  -- what we had spent there at that time, by our own count
  spent_micros bigint not null,
  primary key (provider, read_at)
);

-- Our own count of what each provider has charged since the count began.
create table provider_spending (
  provider text primary key,
  spent_micros bigint not null
);

-- All in millionths of a US dollar, for all eSIMs of the placement.
alter table provider_orders
  -- the offer's cost when the provider was asked
  add column expected_cost_micros bigint,
  -- what the provider's own books say; null when it does not say
  add column charged_micros bigint,
  -- when the provider's books last had it
  add column confirmed_at timestamptz;
create index provider_orders_placed on provider_orders (provider, placed_after);

-- One door for every way in which a placement can turn out to be applied.
create function count_spending() returns trigger language plpgsql as $$
begin
  insert into provider_spending as s (provider, spent_micros) values (new.provider, new.expected_cost_micros)
    on conflict (provider) do update set spent_micros = s.spent_micros + excluded.spent_micros;
  return null;
end $$;
create trigger count_spending after update on provider_orders for each row
  when (new.expected_cost_micros is not null and (
    (old.provider_order_no is null and new.provider_order_no is not null)
    or (old.state = 'placing' and new.state = 'provided')))
  execute function count_spending();

-- Keyed hashes of what outside parties still list for erased persons, so that it is not taken for a difference.
create table erased_references (
  reference blind primary key,
  forget_after timestamptz not null
);

-- What the newest look into the backup store has found there.
create table backup_store (
  place text primary key check (place = 'folder'),
  read_at timestamptz not null,
  files integer not null,
  oldest_at timestamptz,
  newest_at timestamptz
);
