-- Found again after a restore by the keyed pseudonym, which the ledger holds in place of the id.
alter table accounts add column account_ref text not null unique;

-- Erasure looks these up by account and by order, however many other rows there are.
create index attention_subject on attention (subject_id);

-- One row per erased account: what anybody who holds the random receipt id may know.
create table deletions (
  receipt_id uuid primary key,
  account_ref text not null unique,
  reason text not null check (reason in ('requested', 'inactivity', 'sign_in_account_deleted', 'child')),
  erased_at timestamptz not null,
  backups_gone_by timestamptz not null,
  completed_at timestamptz
);
create index deletions_unfinished on deletions (erased_at) where completed_at is null;

-- How far each of those who held something of the person has come.
create table deletion_steps (
  receipt_id uuid not null references deletions on delete cascade,
  processor text not null,
  state text not null check (state in ('pending', 'done', 'nothing_held', 'by_hand', 'not_enabled', 'needs_operator')),
  code text,
  changed_at timestamptz not null,
  primary key (receipt_id, processor)
);

-- What third parties still have to be told, under a data key of its own (data_keys.account_id is the receipt id).
-- Whoever is done empties its column; the row and its key go when all are empty.
create table deletion_seals (
  receipt_id uuid primary key references deletions on delete cascade,
  apple sealed,
  google sealed,
  firebase sealed,
  stripe_customer sealed,
  settlements sealed,
  provider_orders sealed,
  payments sealed,
  address sealed,
  trace sealed
);

-- Append-only and content-free. Replayed after a restore, before anything may start.
create table deletion_ledger (
  account_ref text not null,
  entry text not null check (entry in ('erased', 'backups_gone')),
  reason text not null,
  at timestamptz not null,
  backups_gone_by timestamptz not null,
  primary key (account_ref, entry)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the deletion ledger is append-only' using errcode = 'restrict_violation';
end $$;
create trigger deletion_ledger_append_only before update or delete or truncate on deletion_ledger
  for each statement execute function refuse_change();
