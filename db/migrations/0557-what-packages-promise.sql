-- What is true of a package wherever it is bought, like `dominated` recorded whenever the sale changes: that its eSIMs take more data,
-- and when its days begin (null: it is not certain). False and null of a top-up.
alter table packages add column takes_top_ups boolean not null default false;
alter table packages add column validity_starts text check (validity_starts in ('installation', 'first_use'));
update packages p set takes_top_ups = offers.takes_top_ups, validity_starts = offers.validity_starts
  from (
    select o.package_code,
      bool_and(exists (
        select from package_offers t join packages tp on tp.code = t.package_code and tp.kind = 'top_up' and tp.active
        where t.available and t.provider = o.provider and t.family = o.family)) as takes_top_ups,
      case when bool_and(o.validity_starts is not null) and count(distinct o.validity_starts) = 1
        then min(o.validity_starts) end as validity_starts
    from package_offers o where o.available group by 1
  ) offers
  where offers.package_code = p.code and p.kind = 'base' and p.active;
