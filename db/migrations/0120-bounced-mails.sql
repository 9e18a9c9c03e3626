-- A bounce names its mail by the local part of the Message-ID: a keyed hash, made of nothing that leads to the person.
alter table sends add column message_ref text;
create unique index sends_message on sends (message_ref);
