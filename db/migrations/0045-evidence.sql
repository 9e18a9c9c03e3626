-- What is sealed begins with the format's version, then 12 bytes IV and 16 bytes tag: nothing in clear can get in.
alter domain sealed add constraint sealed_is_ciphertext check (get_byte(value, 0) = 1 and octet_length(value) >= 29);

-- Rows that break a promise, found without looking at those that keep it.
create index sends_unsent on sends (first_at) where state in ('due', 'sending');
create index orders_measured_unasked on orders (id) where measurement_event_id is not null and not ad_user_data;
