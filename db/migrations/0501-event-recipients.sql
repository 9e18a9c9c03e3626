-- Who has had events sent to which endpoint, and since when: what an endpoint was told, the key that gave its address has read.
-- Rows outlive their endpoint, as long as the access log does.
create table event_recipients (
  id uuid primary key default gen_random_uuid(),
  endpoint_id uuid not null,
  actor_id text not null,
  made_at timestamptz not null,
  -- of the oldest event that it was sent
  told_since timestamptz not null,
  -- while null, the endpoint is sent events
  told_until timestamptz,
  -- null: all
  types text[]
);
create index event_recipients_endpoint on event_recipients (endpoint_id, made_at);
create index event_recipients_actor on event_recipients (actor_id, made_at);
