-- G6: what somebody asked about their privacy, and what they were answered. Sealed under the account's data key, or for
-- people without an account under the system's.
create table privacy_requests (
  id uuid primary key,
  account_id uuid references accounts on delete cascade,
  kind text not null check (kind in
    ('access', 'correction', 'erasure', 'restriction', 'objection', 'portability', 'other')),
  message sealed not null,
  -- where to answer; null: to the account's own address
  reply_to sealed,
  reply_to_index blind,
  state text not null default 'open' check (state in ('open', 'answered')),
  received_at timestamptz not null,
  answer_by timestamptz not null,
  extended_because text check (extended_because in ('complexity', 'number_of_requests')),
  acknowledged_at timestamptz,
  escalated_at timestamptz,
  late_at timestamptz,
  answer_kind text check (answer_kind in ('granted', 'partly_granted', 'refused', 'not_identified', 'withdrawn')),
  answer sealed,
  answered_at timestamptz
);
create index privacy_requests_due on privacy_requests (answer_by, id) where state = 'open';
create index privacy_requests_account on privacy_requests (account_id, received_at desc) where account_id is not null;
create index privacy_requests_reply_to on privacy_requests (reply_to_index) where reply_to_index is not null;

-- Who asked by mail before they signed up is forgotten with their account; and whatever names a request goes with it.
create function forget_requests_of_address() returns trigger language plpgsql as $$
begin
  delete from privacy_requests where reply_to_index = old.email_index;
  return null;
end $$;
create trigger accounts_forget_requests after delete on accounts
  for each row execute function forget_requests_of_address();

create function forget_traces_of_request() returns trigger language plpgsql as $$
begin
  delete from sends where subject_id = old.id;
  delete from attention where subject_id = old.id::text;
  delete from idempotency_keys where resource_id = old.id::text;
  return null;
end $$;
create trigger privacy_requests_forget_traces after delete on privacy_requests
  for each row execute function forget_traces_of_request();
