-- Whether another request has come under a key: the refusal of one of them does not make the key free, since the other may be done.
alter table idempotency_keys add column shared boolean not null default false;
