-- The app can ask for another address. A person whose mail comes back hears of nothing else by mail.
create function event_of_dead_address() returns trigger language plpgsql as $$
begin
  insert into events (type, account_id) values ('account.email_bounced', new.id);
  return null;
end $$;
create trigger event_of_dead_address after update of mail_state on accounts for each row
  when (old.mail_state <> 'bounced' and new.mail_state = 'bounced') execute function event_of_dead_address();
