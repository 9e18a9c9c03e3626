-- Real time of the latest attempt: one that is under way must not be taken for one whose outcome is unknown.
alter table sends add column claimed_at timestamptz;
