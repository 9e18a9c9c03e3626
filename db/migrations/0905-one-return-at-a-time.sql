-- Until when one worker asks the provider of a placement for the return of its eSIMs. A second one at the same time
-- would make a second request, about which the provider's staff decides as well. It passes when its worker has died.
alter table provider_orders add column return_asking_until timestamptz;
