-- The eSIMs of a placement that its provider was asked to take back, by blind index: where each further call makes another
-- request, the same eSIM is asked for once. With a question mark: the answer was lost.
alter table provider_orders add column returns_asked text[] not null default '{}';
