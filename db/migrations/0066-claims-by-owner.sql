-- A claim is its account's, whatever id it names; only one of no account is told by what it made.
drop trigger protect_living on idempotency_keys;
drop trigger protect_living_account on idempotency_keys;
create trigger protect_living before delete on idempotency_keys
  for each row execute function protect_living('account', 'account_id');
create trigger protect_living_subject before delete on idempotency_keys
  for each row when (old.account_id is null) execute function protect_living('subject', 'resource_id');
