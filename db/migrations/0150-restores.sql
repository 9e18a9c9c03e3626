-- Restores of this database. While the newest is not opened, the API refuses requests.
create table restores (
  id uuid primary key,
  backup_id text not null,
  -- what happened after this time is read from outside parties and from runs
  reads_since timestamptz not null,
  restored_at timestamptz not null,
  -- part of the series of all later invoices and credit notes
  series text not null unique,
  opened_at timestamptz
);
create unique index restores_closed on restores ((true)) where opened_at is null;

-- A series of its own for each restore: no number of the lost database can be issued again, whichever it had issued.
create function restored_series() returns text language sql stable as $$
  select coalesce((select '-' || series from restores order by restored_at desc limit 1), '')
$$;

-- What was newer than the dump, and what became of it.
create table restored_items (
  restore_id uuid not null references restores on delete cascade,
  kind text not null check (kind in ('order', 'payment', 'provider_order', 'run')),
  subject_id text not null,
  outcome text not null check (outcome in ('rebuilt', 'to_settle', 'refunded', 'cancelled', 'given_back', 'undecided')),
  detail text,
  -- of a payment or a provider's order without an order, until it is settled
  plan jsonb,
  primary key (restore_id, kind, subject_id)
);
create index restored_items_subject on restored_items (subject_id);
create index restored_items_to_settle on restored_items (restore_id) where outcome = 'to_settle';
create trigger protect_living before delete on restored_items
  for each row execute function protect_living('subject', 'subject_id');

-- Numbers that were issued after the dump and whose document is lost.
create table lost_numbers (
  series text not null,
  sequence integer not null,
  restore_id uuid not null references restores,
  primary key (series, sequence)
);
