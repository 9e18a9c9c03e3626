-- Whether calls to each outside party are answered. Processes write here seldom: at the first failure, then every few
-- seconds while it lasts, and at the first answer after it.
create table outside_parties (
  party text primary key,
  -- the newest answer that a process has told of
  answered_at timestamptz,
  -- the first failed call since the newest answer
  failing_since timestamptz,
  last_failed_at timestamptz,
  code text,
  -- the failing lasts long enough to be an outage, and an operator task exists
  down_since timestamptz,
  check ((failing_since is null) = (last_failed_at is null)),
  check (down_since is null or failing_since is not null)
);
