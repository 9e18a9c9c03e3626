-- The mobile networks that an offer uses in each country; null where the provider does not say.
alter table package_offers add column networks jsonb;
