-- Operators who sign in at the company's OpenID provider have neither password nor authenticator here.
alter table operators
  -- issuer and subject: an address may go to another person later
  add column openid_index blind unique,
  alter column email drop not null,
  alter column email_index drop not null,
  alter column password_hash drop not null,
  alter column totp_secret drop not null,
  add constraint operators_sign_in check (
    case when openid_index is null
      then num_nulls(email, email_index, password_hash, totp_secret) = 0
      else num_nonnulls(email_index, password_hash, totp_secret) = 0 end);
