-- Where the app backend wants events to be sent. An endpoint has one position in the stream; what it has not taken up to
-- there stands in event_retries. So an event that is taken at once, as nearly all are, costs no row.
create table webhook_endpoints (
  id uuid primary key,
  url text not null,
  -- null: all
  types text[],
  state text not null check (state in ('enabled', 'disabled')),
  disabled_because text check (disabled_because in ('asked', 'failing', 'gone')),
  created_at timestamptz not null,
  secret sealed not null,
  -- still valid for a day after a rotation
  previous_secret sealed,
  previous_until timestamptz,
  position bigint not null,
  -- attempts that failed with no success between; from the third on only one event at a time is tried, at retry_at
  failures integer not null default 0,
  retry_at timestamptz,
  delivered_at timestamptz,
  failed_at timestamptz,
  code text,
  -- a worker sends to it; another one takes over when the time has passed
  claimed_until timestamptz,
  check ((state = 'disabled') = (disabled_because is not null)),
  check ((previous_secret is null) = (previous_until is null))
);

create table event_retries (
  endpoint_id uuid not null references webhook_endpoints on delete cascade,
  event_id uuid not null references events on delete cascade,
  position bigint not null,
  attempts integer not null,
  first_at timestamptz not null,
  next_at timestamptz not null,
  primary key (endpoint_id, event_id)
);
create index event_retries_event on event_retries (event_id);
