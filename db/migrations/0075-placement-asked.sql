-- Real time of the last request under this reference that may have been applied. Equal to placed_after while there was
-- one only.
alter table provider_orders add column last_asked_at timestamptz not null default clock_timestamp();

-- A second provider is asked only once it is certain that the first one holds nothing.
create unique index provider_orders_one_open on provider_orders (order_id) where state not in ('refused', 'released');
