-- U5: how much a card, a device or an address has bought lately, over all accounts. The keyed hash leads to no row of a
-- person: no other table has it, and nobody computes it without the key. Times are whole hours, amounts are rounded.
create table velocity_counts (
  kind text not null check (kind in ('card', 'device', 'address')),
  hash blind not null,
  hour timestamptz not null check (extract(epoch from hour)::bigint % 3600 = 0),
  orders int not null check (orders > 0),
  gross_minor int not null check (gross_minor >= 0 and gross_minor % 1000 = 0),
  expires_at timestamptz not null,
  primary key (kind, hash, hour)
);
create index velocity_counts_expires_at on velocity_counts (expires_at);
create index velocity_counts_hour on velocity_counts (hour);
