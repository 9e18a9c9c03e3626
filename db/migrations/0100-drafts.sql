-- A row whose run has not begun yet is a draft: the run makes it current, and a sweep settles what a crash left behind.
-- The defaults stay, for processes of the release before.
alter table privacy_requests drop constraint privacy_requests_state_check,
  add constraint privacy_requests_state_check check (state in ('draft', 'open', 'answered')),
  -- the call whose answer stands in the row, when it was stored, and since when the run holds it
  add column answer_id uuid,
  add column answer_stored_at timestamptz,
  add column answer_taken_at timestamptz;
create index privacy_requests_draft on privacy_requests (received_at) where state = 'draft';
drop index privacy_requests_due;
create index privacy_requests_due on privacy_requests (answer_by, id) where state <> 'answered';

alter table campaigns drop constraint campaigns_state_check,
  add constraint campaigns_state_check check (state in ('draft', 'sending', 'paused', 'done', 'cancelled'));
create index campaigns_draft on campaigns (created_at) where state = 'draft';

alter table email_changes drop constraint email_changes_state_check,
  add constraint email_changes_state_check check (state in
    ('draft', 'open', 'changed', 'expired', 'cancelled', 'replaced', 'taken'));
create index email_changes_draft on email_changes (requested_at) where state = 'draft';

alter table key_rotations drop constraint key_rotations_status_check,
  add constraint key_rotations_status_check check (status in
    ('draft', 'rewrapping', 'waiting_for_processes', 'waiting_for_backup', 'waiting_for_runs', 'done'));
drop index key_rotations_one;
create unique index key_rotations_one on key_rotations (purpose) where ended_at is null and status <> 'draft';
