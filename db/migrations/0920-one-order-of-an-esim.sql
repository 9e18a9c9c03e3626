-- U2 and U3: an eSIM is one customer's. A provider that gives one out a second time, while it lives, must not have it delivered
-- to somebody else, who would see its use, and with whose refund it would be taken from its customer. Numbers of eSIMs that
-- are over come back.

create function refuse_esim_of_another_order() returns trigger language plpgsql as $$
begin
  -- Two orders at the same moment would each not see the other's row.
  perform pg_advisory_xact_lock(hashtextextended('esim ' || new.provider || encode(new.esim_ref_index, 'hex'), 0));
  if exists (
      select from esims e join orders o on o.id = e.order_id
      where e.provider = new.provider and e.esim_ref_index = new.esim_ref_index and e.order_id <> new.order_id
        and e.state not in ('expired', 'cancelled') and o.status <> 'ended') then
    raise exception 'an eSIM of another order' using errcode = 'unique_violation', constraint = 'esims_of_one_order';
  end if;
  return new;
end $$;
create trigger refuse_esim_of_another_order before insert on esims for each row
  execute function refuse_esim_of_another_order();
