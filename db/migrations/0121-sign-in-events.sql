-- The newest event of each topic: events arrive in any order, and an older one must not undo a newer one.
create table sign_in_events (
  account_id uuid not null references accounts on delete cascade,
  provider text not null check (provider in ('apple', 'google')),
  topic text not null check (topic in ('email', 'account')),
  at timestamptz not null,
  primary key (account_id, provider, topic)
);

-- Sign-ins from before have ended. A token carries the time of its sign-in, and a refresh keeps it.
alter table accounts add column signed_out_at timestamptz;

-- The same of erased accounts: a token lives for an hour, and its user until Firebase has deleted it.
create table ended_sign_ins (
  user_hash bytea primary key,
  ended_at timestamptz not null
);
create index ended_sign_ins_ended on ended_sign_ins (ended_at);

create trigger protect_living before delete on sign_in_events
  for each row execute function protect_living('account', 'account_id');
