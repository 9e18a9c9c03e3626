-- An order that is paid on Stripe's page has a Checkout Session. Its PaymentIntent is made by Stripe when somebody pays.
alter table orders add column checkout_session_id text unique;
