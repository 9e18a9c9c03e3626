-- A partial refund with which the eSIMs of its order go back to their provider. Their return is settled by it: nothing
-- else of the payment is owed for it, whoever has asked for a return before.
alter table refunds add column returns_esims boolean not null default false;
