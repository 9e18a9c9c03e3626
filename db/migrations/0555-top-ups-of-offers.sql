-- A provider has packages for one place whose eSIMs take more data, and others whose eSIMs do not. What is known before the next
-- reading of its list stays as it was treated: as one that does. An eSIM keeps what its offer said when it was delivered;
-- null: it was delivered before this was recorded, and its offer decides.
alter table package_offers add column supports_top_up boolean not null default true;
alter table esims add column supports_top_up boolean;
