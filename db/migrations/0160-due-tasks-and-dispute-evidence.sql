-- An operator task may have a due date, and what an operator has to know to decide: amounts, codes and ids of ours.
alter table attention
  add column due_at timestamptz,
  add column attributes jsonb;

-- What the bank wants to know until when, as Stripe has it.
alter table disputes
  add column amount_minor int,
  add column currency text,
  add column reason text,
  add column network_reason_code text,
  add column due_by timestamptz,
  add column submission_count int not null default 0,
  add column past_due boolean not null default false,
  add column has_evidence boolean not null default false,
  -- when we staged evidence at Stripe; once for each dispute
  add column evidence_staged_at timestamptz;
