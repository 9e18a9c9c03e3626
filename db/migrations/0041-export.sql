-- G5: a long history is read in pages.
drop index sends_account;
create index sends_account on sends (account_id, subject_id, kind);
drop index security_log_account;
create index security_log_account on security_log (account_id, at) where account_id is not null;
