-- Mails, pushes and pages are written in the language of their reader.
alter table accounts add column language text not null default 'en' check (language in ('en', 'de', 'sq'));
