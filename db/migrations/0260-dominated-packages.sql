-- A package that another one on sale beats in every respect is left out of the list. Known only together with all the
-- others, so it is recorded whenever the sale changes instead of being computed by each reader.
alter table packages add column dominated boolean not null default false;
