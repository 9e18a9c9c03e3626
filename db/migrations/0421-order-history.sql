-- What happened to an order and leaves no other trace, for its timeline: the row of the order has the present state alone.
create table order_history (
  order_id uuid not null references orders on delete cascade,
  kind text not null check (kind in ('review', 'payment_declined', 'fraud_warning')),
  -- the event or warning at the payment processor; a review has none, since an order has one at most
  source text not null,
  at timestamptz not null,
  -- a code: why
  detail text,
  primary key (order_id, kind, source)
);
create trigger protect_living before delete on order_history
  for each row execute function protect_living('order', 'order_id');

-- By a trigger, so that no code path can hold an order and forget why.
create function note_review() returns trigger language plpgsql as $$
begin
  insert into order_history (order_id, kind, source, at, detail)
  values (new.id, 'review', 'us', clock_timestamp(), new.reason) on conflict do nothing;
  return null;
end $$;
create trigger note_review after update of status on orders for each row
  when (new.status = 'in_review' and old.status <> 'in_review') execute function note_review();
insert into order_history (order_id, kind, source, at, detail)
  select id, 'review', 'us', coalesce(paid_at, created_at), reason from orders where status = 'in_review';
