-- The hourly payment sweep looks for refunds that the bank has not settled for a month.
create index refunds_on_their_way on refunds (created_at) where state in ('pending', 'requires_action');
