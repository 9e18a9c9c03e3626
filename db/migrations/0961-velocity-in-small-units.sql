-- The limits of a month are more than 2^31 minor units of currencies with small units, such as IDR.
alter table velocity_counts alter column gross_minor type bigint;
