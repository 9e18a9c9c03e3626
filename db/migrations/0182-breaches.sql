-- A personal data breach (GDPR articles 33 and 34): what an operator knows of it, and when whom was told.
create table breaches (
  id uuid primary key,
  state text not null check (state in ('draft', 'open', 'closed')),
  -- whose reads count, and when
  key_id text,
  session text,
  read_from timestamptz not null,
  read_until timestamptz not null check (read_until >= read_from),
  nature text not null,
  consequences text not null,
  measures text not null,
  contact text not null,
  aware_at timestamptz not null,
  authority_due_at timestamptz not null,
  opened_at timestamptz not null,
  opened_by text not null,
  -- found in the access log when it was opened; people who are erased later still count
  people integer,
  reads integer,
  authority_told_at timestamptz,
  authority_reference text,
  authority_not_told_because text,
  late_at timestamptz,
  people_decision text check (people_decision in ('tell', 'not_required')),
  people_not_told_because text,
  people_told_at timestamptz,
  closed_at timestamptz
);
create index breaches_open on breaches (authority_due_at) where state <> 'closed';

create table breach_people (
  id uuid primary key default gen_random_uuid(),
  breach_id uuid not null references breaches on delete cascade,
  account_id uuid not null references accounts on delete cascade,
  fields text[] not null,
  reads integer not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  unique (breach_id, account_id)
);
create index breach_people_account on breach_people (account_id);
create trigger protect_living before delete on breach_people
  for each row execute function protect_living('account', 'account_id');
