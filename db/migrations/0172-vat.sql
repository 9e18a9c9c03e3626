-- The countries that say where the buyer lives: of the IP address at the order, of the card at the payment.
alter table orders
  add column ip_country char(2),
  add column card_country char(2);

-- Where a document is taxed, and why. Those of before were taxed by one rate, without a look at the country.
alter table invoices
  add column vat_country char(2),
  add column vat_scope text not null default 'domestic' check (vat_scope in ('domestic', 'member_state', 'outside_eu')),
  add column vat_evidence text not null default 'not_asked' check (vat_evidence in
    ('not_asked', 'two_pieces', 'one_piece', 'one_of_two_missing', 'contradictory', 'none')),
  add column vat_card_country char(2),
  add column vat_ip_country char(2);
create index invoices_supplied_on on invoices (supplied_on) where kind = 'invoice';
create index invoices_corrects on invoices (corrects) where corrects is not null;
