-- How often a person, or an address, made us do something lately: one row for each kind, counted anew after its window.
create table allowances (
  subject blind not null,
  kind text not null,
  -- for an address, who asked first
  account_id uuid not null references accounts on delete cascade,
  window_start timestamptz not null,
  used int not null check (used > 0),
  primary key (subject, kind)
);
create index allowances_account on allowances (account_id);
create index allowances_window_start on allowances (window_start);

create trigger protect_living before delete on allowances
  for each row execute function protect_living('account', 'account_id');
