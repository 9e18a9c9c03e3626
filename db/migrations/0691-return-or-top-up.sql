-- U2: of a return and a top-up of one eSIM exactly one gives way, whatever build a worker is of: both write here before they
-- ask the provider, and each waits for the other at the eSIM's row.

create function refuse_return_of_topped_up() returns trigger language plpgsql as $$
begin
  if exists (select from orders where parent_order_id = new.order_id and paid_at is not null
      and status in ('in_review', 'provisioning', 'delivered', 'ended')) then
    raise exception 'an eSIM of an order with a paid top-up is not returned' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
-- One that is gone is noted as returned: it takes nothing with it.
create trigger refuse_return_of_topped_up before update on esims for each row
  when (old.return_asked_at is null and new.return_asked_at is not null and new.state <> 'cancelled')
  execute function refuse_return_of_topped_up();

create function refuse_top_up_of_returned() returns trigger language plpgsql as $$
declare
  topped_up uuid;
  is_returned boolean;
begin
  select esim_id into topped_up from orders where id = new.order_id and parent_order_id is not null;
  if topped_up is null then return new; end if;
  select state = 'cancelled' or (state = 'new' and return_asked_at is not null) into is_returned
    from esims where id = topped_up for share;
  if is_returned then return null; end if;
  return new;
end $$;
-- Of the requests that are about to be made. A restore writes those that a provider may have got before.
create trigger refuse_top_up_of_returned before insert on provider_orders for each row
  when (new.placed_after >= statement_timestamp())
  execute function refuse_top_up_of_returned();
