-- The persons who work on the console, each with a role. They sign in with a password and a code of their authenticator.
create table operators (
  -- of the form of a key's id: the logs name both alike
  id text primary key,
  name text not null,
  email sealed not null,
  email_index blind not null unique,
  role text not null check (role in ('support', 'finance', 'privacy', 'admin')),
  password_hash text not null,
  totp_secret sealed not null,
  -- the time step of the last code that was accepted: each code works once
  totp_step bigint not null default 0,
  created_at timestamptz not null,
  disabled_at timestamptz
);

alter table web_sessions
  add column operator_id text references operators on delete cascade,
  drop constraint web_sessions_check,
  add constraint web_sessions_owner check (num_nonnulls(account_id, key_id, operator_id) = 1);
