-- What the customer agreed to when ordering: that the eSIM is delivered at once (text version and time).
alter table orders
  add column performance_consent text,
  add column performance_consent_at timestamptz,
  add constraint performance_consent_whole check ((performance_consent is null) = (performance_consent_at is null));

-- A withdrawal from the contract of an order. The customer opens it and then confirms it: only that states it.
create table withdrawals (
  order_id uuid primary key references orders on delete cascade,
  -- as the statement names the consumer
  name sealed not null,
  opened_at timestamptz not null,
  -- when the statement was submitted; null before the confirmation
  stated_at timestamptz
);
create index withdrawals_stated on withdrawals (stated_at) where stated_at is not null;

create trigger protect_living before delete on withdrawals
  for each row execute function protect_living('order', 'order_id');
