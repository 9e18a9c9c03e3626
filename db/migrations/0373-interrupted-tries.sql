-- Tries of a bulk action whose worker died before they ended: they say nothing about the order.
alter table operator_acts add column interrupted integer not null default 0;
