-- S1: the keys we have had, by their ids and never by their bytes.
create table encryption_keys (
  purpose text not null check (purpose in ('field', 'payload')),
  id text not null,
  first_seen_at timestamptz not null,
  -- when it first was the one that encrypts
  active_since timestamptz,
  -- when nothing needed it any more: it may be taken out of the keyring
  retired_at timestamptz,
  primary key (purpose, id)
);

create table key_rotations (
  id uuid primary key,
  purpose text not null check (purpose in ('field', 'payload')),
  to_key text not null,
  status text not null check (status in
    ('rewrapping', 'waiting_for_processes', 'waiting_for_backup', 'waiting_for_runs', 'done')),
  rewrapped bigint not null default 0,
  -- data keys, or open runs, that still need another key; null: not counted yet
  remaining bigint,
  started_at timestamptz not null,
  started_by text not null,
  checked_at timestamptz,
  ended_at timestamptz
);
create unique index key_rotations_one on key_rotations (purpose) where ended_at is null;
create index key_rotations_started on key_rotations (started_at desc, id desc);
