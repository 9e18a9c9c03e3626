-- Mailed one-time links: hashes of 256 random bits.
create table link_tokens (
  token_hash bytea primary key,
  purpose text not null check (purpose in ('sign_in', 'email_change_old', 'email_change_new')),
  account_id uuid not null references accounts on delete cascade,
  -- the change that is confirmed
  subject_id uuid,
  -- where a sign-in leads
  next text,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index link_tokens_account on link_tokens (account_id, purpose, created_at);
create index link_tokens_expires on link_tokens (expires_at);

-- Sessions of the web pages: of a person, or of an operator by their key. Hashes of 256 random bits.
create table web_sessions (
  token_hash bytea primary key,
  account_id uuid references accounts on delete cascade,
  key_id text references api_keys on delete cascade,
  signed_in_at timestamptz not null,
  expires_at timestamptz not null,
  check ((account_id is null) <> (key_id is null))
);
create index web_sessions_account on web_sessions (account_id) where account_id is not null;
create index web_sessions_expires on web_sessions (expires_at);

-- G2: a new address counts once both the old and the new one have agreed.
create table email_changes (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  -- both are emptied at the end
  old_email sealed,
  new_email sealed,
  state text not null default 'open' check (state in
    ('open', 'changed', 'expired', 'cancelled', 'replaced', 'taken')),
  requested_at timestamptz not null,
  expires_at timestamptz not null,
  old_confirmed_at timestamptz,
  -- the operator who vouches for the person, where the old address takes no mail
  old_waived_by text,
  new_confirmed_at timestamptz,
  ended_at timestamptz
);
create unique index email_changes_open on email_changes (account_id) where state = 'open';
create index email_changes_account on email_changes (account_id, requested_at);
create trigger email_changes_forget_traces after delete on email_changes
  for each row execute function forget_traces_of_request();
