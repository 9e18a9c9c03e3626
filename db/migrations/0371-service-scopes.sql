-- What a restricted service key may do; null: everything that the app backend may.
alter table api_keys
  add column scopes text[],
  add constraint api_keys_scopes check (
    scopes is null or (kind = 'service' and cardinality(scopes) > 0 and array_position(scopes, null) is null));
