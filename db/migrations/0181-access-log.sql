-- Who read whose data: a row for each account in an answer to an operator or the app backend, and for each export. Like
-- the security log it has a partition for each UTC day. Without a foreign key: a read takes no lock on the account.
create table access_log (
  at timestamptz not null,
  id uuid not null default gen_random_uuid(),
  account_id uuid not null,
  actor_kind text not null check (actor_kind in ('service', 'operator', 'person')),
  -- the API key; null for a person
  actor_id text,
  -- a reference of the web session, if it was one
  session text,
  route text not null,
  fields text[] not null,
  request_id text not null
) partition by range (at);
create index access_log_account on access_log (account_id, at desc, id desc);
create index access_log_at on access_log (at);
create index access_log_actor on access_log (actor_id, at) where actor_id is not null;

create trigger protect_living before delete on access_log
  for each row execute function protect_living('account', 'account_id');
