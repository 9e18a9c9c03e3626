-- A claim belongs to the account that the request named, and is erased with it. Null: of nobody's account, such as a
-- campaign's; a sign-up's claim gets its account when that is made.
alter table idempotency_keys add column account_id uuid references accounts on delete cascade;
create index idempotency_keys_account on idempotency_keys (account_id) where account_id is not null;

create trigger protect_living_account before delete on idempotency_keys
  for each row when (old.account_id is not null) execute function protect_living('account', 'account_id');

-- Which request made an order is known to its claim alone. The column stays for the release before this one.
alter table orders alter column request_hash drop not null;
