-- What a provider has made of a request whose answer was lost, and which was found when it was to be returned, has been
-- paid for as well: without it the balance falls by more than we have bought. A placement of an order has its number
-- unless its answer was lost; one of a top-up is in doubt (`releasing`) only if it was not counted as provided before.
drop trigger count_spending on provider_orders;
create trigger count_spending after update on provider_orders for each row
  when (new.expected_cost_micros is not null and (
    (old.provider_order_no is null and new.provider_order_no is not null)
    or (old.state = 'placing' and new.state = 'provided')
    or (old.state = 'releasing' and new.state = 'released' and new.provider_order_no is null
      and new.reason in ('given_back', 'top_up_applied'))))
  execute function count_spending();
