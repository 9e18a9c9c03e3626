-- When the days of a package begin differs between providers, so an eSIM keeps what its offer said when it was delivered.
alter table package_offers add column validity_starts text check (validity_starts in ('installation', 'first_use'));
alter table esims add column validity_starts text check (validity_starts in ('installation', 'first_use'));
