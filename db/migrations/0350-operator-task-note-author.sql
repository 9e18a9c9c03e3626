-- Who wrote the note of an operator task, and when. Older notes have no author on record.
alter table attention
  add column note_by text,
  add column noted_at timestamptz,
  add constraint attention_note_by check ((note_by is null) = (noted_at is null) and (note_by is null or note is not null));
