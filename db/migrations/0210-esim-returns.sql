-- When we asked the provider to take an eSIM back, unless it has refused: an eSIM that ends without it was ended by the provider.
alter table esims add column return_asked_at timestamptz;
update esims set return_asked_at = checked_at where state = 'cancelled';
