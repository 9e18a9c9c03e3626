-- How far each part of the hourly look at the payment processor has come.
create table payment_sweeps (
  part text primary key,
  read_until timestamptz not null,
  done_at timestamptz not null
);
