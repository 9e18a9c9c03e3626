-- An eSIM is found by the number that its owner reads out. Empty for eSIMs from before; db/operator/iccids.ts fills it.
alter table esims add column iccid_index blind;
create index esims_iccid on esims (iccid_index) where iccid_index is not null;
create index esims_without_iccid_index on esims (id) where iccid_index is null;

-- What operators have done for an account, and why. Written before it is done. A reason must not hold personal data:
-- nothing here is encrypted.
create table operator_acts (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  order_id uuid,
  act text not null,
  -- as the security log names them
  operator text not null,
  reason text check (length(reason) <= 500 and reason !~ '@|\d{7}'),
  amount_minor integer,
  state text not null check (state in ('asked', 'done', 'refused')),
  -- of the refusal
  code text,
  asked_at timestamptz not null,
  done_at timestamptz,
  -- An act stays with the account of its order.
  foreign key (order_id, account_id) references orders (id, account_id) on delete cascade
);
create index operator_acts_account on operator_acts (account_id, asked_at);
create index operator_acts_order on operator_acts (order_id, asked_at) where order_id is not null;

create trigger protect_living before delete on operator_acts
  for each row execute function protect_living('account', 'account_id');
