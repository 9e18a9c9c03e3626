-- How often an address was mailed lately that nobody has confirmed, whoever asked: it is counted on when the account is
-- deleted from which it was asked. A keyed hash and a count, which lead to nobody.
create table address_allowances (
  subject blind not null,
  kind text not null,
  window_start timestamptz not null,
  used int not null check (used > 0),
  primary key (subject, kind)
);
create index address_allowances_window_start on address_allowances (window_start);
