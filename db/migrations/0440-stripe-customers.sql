-- Whose saved cards a payment was made with: a restore asks it for each payment that it refunds.
create index accounts_stripe_customer on accounts (stripe_customer_id) where stripe_customer_id is not null;
