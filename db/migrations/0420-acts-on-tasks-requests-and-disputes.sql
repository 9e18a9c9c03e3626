-- What operators do to tasks, privacy requests and disputes has an entry as what they do to orders has. Some tasks and
-- requests are about nobody's account; their entries name a kind and no subject.
alter table operator_acts
  alter column account_id drop not null,
  -- the kind of the task or of the privacy request, or the dispute's id at Stripe
  add column subject text,
  add constraint operator_acts_owner check (order_id is null or account_id is not null);

-- The processor tells how often evidence was submitted, and not when.
alter table disputes add column evidence_submitted_at timestamptz;
