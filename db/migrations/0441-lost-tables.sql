-- A restore also reports the tables of which nothing outside of the database knows what is lost.
alter table restored_items drop constraint restored_items_kind_check;
alter table restored_items add constraint restored_items_kind_check
  check (kind in ('order', 'payment', 'provider_order', 'run', 'table'));
