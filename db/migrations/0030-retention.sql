-- R1: accounts whose owners have been, or are about to be, warned. One row per open run.
create table inactivity (
  account_id uuid primary key references accounts on delete cascade,
  -- what the run counts from; anything later ends it
  last_active_at timestamptz not null,
  first_warned_at timestamptz,
  deletes_at timestamptz not null,
  -- by then the run has looked again, or it is lost and another one takes over
  check_by timestamptz not null
);
create index inactivity_check_by on inactivity (check_by);

-- R2: a credit note outlives the invoice it corrects by as much as it is younger, and goes on naming it.
alter table invoices drop constraint invoices_corrects_fkey;
-- The order of somebody who is still a customer outlives what the books say of it.
alter table orders drop constraint orders_fact_id_fkey;
alter table orders add constraint orders_fact_id_fkey
  foreign key (fact_id) references order_facts on delete set null;
create index orders_fact on orders (fact_id) where fact_id is not null;

-- An operator keeps a month of the books beyond its term: a tax audit, a court.
create table books_holds (
  -- first day of the month
  month date primary key,
  reason text not null,
  held_at timestamptz not null,
  held_by text not null
);

-- R3: what there is in the backup folder, and what became of it. The folder itself is the truth.
create table backups (
  id text primary key,
  state text not null check (state in ('running', 'kept', 'failed', 'pruned')),
  started_at timestamptz not null,
  -- of the dump: everything committed by then is in it
  finished_at timestamptz,
  bytes bigint,
  key_id text,
  code text,
  pruned_at timestamptz,
  -- the last restore drill
  drilled_at timestamptz,
  drill jsonb
);
create index backups_started on backups (started_at desc);
