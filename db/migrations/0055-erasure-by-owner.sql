-- G3: erasure goes by whose a row is. Every id that belongs to an account, with its kind.
create view owned_ids (account_id, kind, id) as
  select id, 'account', id from accounts
  union all select account_id, 'order', id from orders
  union all select o.account_id, 'esim', e.id from esims e join orders o on o.id = e.order_id
  union all select account_id, 'privacy_request', id from privacy_requests where account_id is not null
  -- asked by mail before there was an account
  union all select a.id, 'privacy_request', r.id
    from accounts a join privacy_requests r on r.reply_to_index = a.email_index where r.account_id is null
  union all select account_id, 'email_change', id from email_changes;

-- A top-up stays with the account of its order, and a mailed link with the account whose change it confirms.
alter table orders add constraint orders_id_account unique (id, account_id);
alter table orders drop constraint orders_parent_order_id_fkey;
alter table orders add constraint orders_parent_order_id_fkey
  foreign key (parent_order_id, account_id) references orders (id, account_id) on delete cascade;
alter table email_changes add constraint email_changes_id_account unique (id, account_id);
alter table link_tokens add constraint link_tokens_subject_id_fkey
  foreign key (subject_id, account_id) references email_changes (id, account_id) on delete cascade;
create index link_tokens_subject on link_tokens (subject_id) where subject_id is not null;

-- The account that this transaction erases. Anybody else's rows cannot be deleted in it.
create function erase_only(account uuid) returns void language sql as $$
  select set_config('ama.erased_account', account::text, true)
$$;

create function erased_account() returns uuid language sql stable as $$
  select nullif(current_setting('ama.erased_account', true), '')::uuid
$$;

create function uuid_or_null(text text) returns uuid language sql immutable as $$
  select case when text ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then text::uuid end
$$;

-- Arguments: what the column names (`account`, `order`, or `subject`: any id of an account's), the column, and `always`
-- where a living account's row can be deleted by its erasure alone. The row's owner may be gone already, by a cascade.
create function protect_living() returns trigger language plpgsql as $$
declare
  erased uuid := erased_account();
  named text;
  living uuid;
begin
  if erased is null and tg_argv[2] is distinct from 'always' then return old; end if;
  named := to_jsonb(old) ->> tg_argv[1];
  case tg_argv[0]
    when 'account' then
      select id into living from accounts where id = named::uuid and id is distinct from erased;
    when 'order' then
      select account_id into living from orders where id = named::uuid and account_id is distinct from erased;
    when 'subject' then
      select account_id into living from owned_ids
        where id = uuid_or_null(named) and account_id is distinct from erased limit 1;
  end case;
  if living is not null then
    raise exception 'a row of % belongs to an account that is not being erased', tg_table_name
      using errcode = 'restrict_violation';
  end if;
  return old;
end $$;

create trigger protect_living before delete on accounts
  for each row execute function protect_living('account', 'id', 'always');
create trigger protect_living before delete on data_keys
  for each row execute function protect_living('account', 'account_id', 'always');
create trigger protect_living before delete on orders
  for each row execute function protect_living('account', 'account_id', 'always');
create trigger protect_living before delete on esims
  for each row execute function protect_living('order', 'order_id', 'always');
create trigger protect_living before delete on consents
  for each row execute function protect_living('account', 'account_id');
create trigger protect_living before delete on identities
  for each row execute function protect_living('account', 'account_id');
create trigger protect_living before delete on devices
  for each row execute function protect_living('account', 'account_id');
create trigger protect_living before delete on provider_orders
  for each row execute function protect_living('order', 'order_id');
create trigger protect_living before delete on refunds
  for each row execute function protect_living('order', 'order_id');
create trigger protect_living before delete on disputes
  for each row execute function protect_living('order', 'order_id');
create trigger protect_living before delete on invoice_links
  for each row execute function protect_living('order', 'order_id');
create trigger protect_living before delete on sends
  for each row execute function protect_living('account', 'account_id');
-- What was written too late to name its account is still about something of somebody's.
create trigger protect_living_subject before delete on sends
  for each row when (old.account_id is null) execute function protect_living('subject', 'subject_id');
create trigger protect_living before delete on idempotency_keys
  for each row execute function protect_living('subject', 'resource_id');
create trigger protect_living before delete on attention
  for each row execute function protect_living('subject', 'subject_id');
create trigger protect_living before delete on security_log
  for each row execute function protect_living('account', 'account_id');
create trigger protect_living before delete on inactivity
  for each row execute function protect_living('account', 'account_id');
create trigger protect_living before delete on link_tokens
  for each row execute function protect_living('account', 'account_id');
create trigger protect_living before delete on web_sessions
  for each row execute function protect_living('account', 'account_id');
create trigger protect_living before delete on email_changes
  for each row execute function protect_living('account', 'account_id');
create trigger protect_living before delete on campaign_deliveries
  for each row execute function protect_living('account', 'account_id');
create trigger protect_living before delete on privacy_requests
  for each row execute function protect_living('account', 'account_id');
create trigger protect_living before delete on policy_deliveries
  for each row execute function protect_living('account', 'account_id');

-- Everything of no account is sealed under this key.
create function keep_system_key() returns trigger language plpgsql as $$
begin
  raise exception 'the system''s data key stays' using errcode = 'restrict_violation';
end $$;
create trigger keep_system_key before delete on data_keys
  for each row when (old.account_id = '00000000-0000-0000-0000-000000000000') execute function keep_system_key();

-- A request that names an account is that account's, wherever it is to be answered.
create or replace function forget_requests_of_address() returns trigger language plpgsql as $$
begin
  delete from privacy_requests where reply_to_index = old.email_index and account_id is null;
  return null;
end $$;

-- What else has the same id keeps what is said of it.
create or replace function forget_traces_of_request() returns trigger language plpgsql as $$
begin
  if exists (select from owned_ids where id = old.id) then return null; end if;
  delete from sends where subject_id = old.id;
  delete from attention where subject_id = old.id::text;
  delete from idempotency_keys where resource_id = old.id::text;
  return null;
end $$;
