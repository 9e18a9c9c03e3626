-- Whoever keeps a copy of an account has to read it again: a person changes the address by mailed links, on pages of ours. A bounce
-- has an event of its own.
create function event_of_account() returns trigger language plpgsql as $$
begin
  insert into events (type, account_id) values ('account.changed', new.id);
  return null;
end $$;
create trigger event_of_account after update of email, first_name, last_name, phone, language, mail_state on accounts for each row
  when ((old.email, old.first_name, old.last_name, old.phone, old.language) is distinct from
      (new.email, new.first_name, new.last_name, new.phone, new.language)
    or (new.mail_state is distinct from old.mail_state and new.mail_state <> 'bounced'))
  execute function event_of_account();

-- A dispute that is lost changes no eSIM, which was suspended when it was opened, and no state of its order.
create function event_of_dispute() returns trigger language plpgsql as $$
begin
  insert into events (type, account_id, data)
  select 'dispute.changed', account_id, jsonb_build_object('orderId', new.order_id) from orders where id = new.order_id;
  return null;
end $$;
create trigger event_of_new_dispute after insert on disputes for each row execute function event_of_dispute();
create trigger event_of_dispute after update of state, order_id on disputes for each row
  when ((old.state, old.order_id) is distinct from (new.state, new.order_id)) execute function event_of_dispute();
