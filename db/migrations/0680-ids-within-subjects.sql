-- The subject of a task or of an item of a restore may be a run, whose id ends with the id of what it is about:
-- `email-change-...`. An erasure finds these by an index, as it finds the others.
create function uuid_within(text text) returns uuid language sql immutable as $$
  select substring(text from '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')::uuid
$$;
create index attention_subject_names on attention (uuid_within(subject_id));
create index restored_items_subject_names on restored_items (uuid_within(subject_id));
