-- A session of the OpenID provider lasts no longer than what the provider says of its operator.
alter table web_sessions
  -- when the provider has last said that the operator may work here; null: it signed nobody in
  add column openid_confirmed_at timestamptz,
  -- when it was last asked; one request at a time asks, since a refresh token may work once
  add column openid_asked_at timestamptz,
  -- by which it is asked again; null: it gave none, and the session is short
  add column openid_refresh_token sealed,
  -- the session at the provider, which a logout token names
  add column openid_sid_index blind,
  add constraint web_sessions_openid check (
    openid_confirmed_at is not null
    or num_nonnulls(openid_asked_at, openid_refresh_token, openid_sid_index) = 0),
  add constraint web_sessions_openid_operator check (openid_confirmed_at is null or operator_id is not null);
create index web_sessions_operator on web_sessions (operator_id) where operator_id is not null;

-- Those that are open were opened for eight hours, and nobody can be asked about them.
delete from web_sessions s using operators o where o.id = s.operator_id and o.openid_index is not null;
