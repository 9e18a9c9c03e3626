-- The credit note of a refund. A refund that replaces one which failed has none: its amount is credited already.
alter table refunds add column credit_note text;
