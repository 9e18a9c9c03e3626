-- Codes that were refused after the right password since the operator last signed in: whoever sends them knows the
-- password and guesses the code.
alter table operators
  add column failed_codes integer not null default 0,
  add column last_failed_code_at timestamptz;
