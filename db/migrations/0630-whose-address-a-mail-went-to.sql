-- The blind index of the address that a mail went to. When it comes back, that says something of this address, which the account of
-- the mail may not have: it is the new address of a change, an operator's, or one that the account has left. Null: sent before, or no
-- mail.
alter table sends add column address_index blind;
alter table policy_deliveries add column address_index blind;
