-- U2: the row of the eSIM is locked after the order's, as an erasure and the foreign key's own lock take them: the other
-- way round each waited for the other.

create or replace function refuse_top_up_of_returned() returns trigger language plpgsql as $$
declare
  topped_up uuid;
  is_returned boolean;
begin
  select esim_id into topped_up from orders where id = new.order_id and parent_order_id is not null for key share;
  if topped_up is null then return new; end if;
  select state = 'cancelled' or (state = 'new' and return_asked_at is not null) into is_returned
    from esims where id = topped_up for share;
  if is_returned then return null; end if;
  return new;
end $$;
