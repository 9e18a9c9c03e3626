-- Who works on an operator task, and what they found. A note must not hold personal data: nothing here is encrypted.
alter table attention
  add column owner text,
  add column taken_at timestamptz,
  add column note text,
  add constraint attention_owner check ((owner is null) = (taken_at is null)),
  add constraint attention_note check (length(note) <= 500 and note !~ '@|\d{7}');
