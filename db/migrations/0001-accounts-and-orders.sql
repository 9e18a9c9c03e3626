-- Columns of type `sealed` hold personal data or secrets, encrypted under the account's data key (db/crypto/field-cipher.ts).
-- Columns of type `blind` hold keyed hashes, for looking up what is sealed.
create domain sealed as bytea;
create domain blind as bytea;

create table data_keys (
  account_id uuid primary key,
  kek_id text not null,
  wrapped_key bytea not null
);
create index data_keys_kek on data_keys (kek_id);

create table accounts (
  id uuid primary key,
  email sealed not null,
  email_index blind not null unique,
  first_name sealed not null,
  last_name sealed not null,
  phone sealed,
  sign_up_ip sealed,
  last_login_ip sealed,
  stripe_customer_id text,
  firebase_uid sealed,
  firebase_uid_index blind unique,
  policy_version text not null,
  promotions boolean not null default false,
  mail_state text not null default 'ok' check (mail_state in ('ok', 'bounced')),
  created_at timestamptz not null,
  last_active_at timestamptz not null,
  version integer not null default 1
);
create index accounts_last_active on accounts (last_active_at, id);

create table consents (
  account_id uuid not null references accounts on delete cascade,
  purpose text not null check (purpose in ('promotions')),
  granted boolean not null,
  source text not null,
  at timestamptz not null,
  primary key (account_id, purpose, at)
);

create table identities (
  account_id uuid not null references accounts on delete cascade,
  provider text not null check (provider in ('apple', 'google')),
  subject sealed not null,
  subject_index blind not null,
  client_id text not null,
  refresh_token sealed,
  linked_at timestamptz not null,
  primary key (account_id, provider),
  unique (provider, subject_index)
);

create table devices (
  account_id uuid not null references accounts on delete cascade,
  device_index blind not null,
  device_id sealed not null,
  platform text not null check (platform in ('ios', 'android')),
  push_token sealed,
  push_token_index blind unique,
  app_version sealed,
  model sealed,
  os_version sealed,
  app_instance_id sealed,
  seen_at timestamptz not null,
  primary key (account_id, device_index)
);

create table api_keys (
  id text primary key,
  secret_hash bytea not null,
  kind text not null check (kind in ('service', 'operator')),
  label text not null,
  created_at timestamptz not null,
  revoked_at timestamptz
);

-- What we sell, at our prices.
create table packages (
  code text primary key,
  kind text not null check (kind in ('base', 'top_up')),
  name text not null,
  destinations text[] not null,
  data_bytes bigint,
  daily boolean not null,
  days integer not null,
  price_minor integer not null check (price_minor > 0),
  currency char(3) not null,
  active boolean not null default true,
  updated_at timestamptz not null
);
create index packages_destinations on packages using gin (destinations);

-- What the providers would charge us for it. Cheapest available first, unless an operator ranks them.
create table package_offers (
  package_code text not null references packages on delete cascade,
  provider text not null,
  provider_package_code text not null,
  -- a top-up fits the eSIMs of its family
  family text not null,
  cost_micros bigint not null,
  cost_currency char(3) not null,
  rank integer,
  available boolean not null,
  seen_at timestamptz not null,
  primary key (package_code, provider)
);

-- An order's facts for the books (R2): name-free from the start, the day and not the second.
create table order_facts (
  id uuid primary key,
  paid_on date not null,
  package_name text not null,
  destination text not null,
  quantity integer not null,
  gross_minor integer not null,
  refunded_minor integer not null default 0,
  currency char(3) not null,
  outcome text not null check (outcome in ('paid', 'delivered', 'refunded'))
);
create index order_facts_paid_on on order_facts (paid_on);

create table orders (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  -- of a top-up: the order and the eSIM that get the data
  parent_order_id uuid references orders on delete cascade,
  esim_id uuid,
  request_hash bytea not null,
  package_code text not null,
  package_name text not null,
  destination text not null,
  quantity integer not null check (quantity between 1 and 10),
  data_bytes bigint,
  days integer not null,
  gross_minor integer not null check (gross_minor > 0),
  currency char(3) not null,
  status text not null,
  reason text,
  payment_intent_id text unique,
  payment_client_secret sealed,
  customer_session_secret sealed,
  payment_kind text,
  ad_user_data boolean not null default false,
  ad_personalization boolean not null default false,
  measurement_event_id uuid,
  install_token sealed,
  install_token_index blind unique,
  fact_id uuid references order_facts,
  created_at timestamptz not null,
  payment_due_at timestamptz not null,
  paid_at timestamptz,
  deliver_by timestamptz,
  delivered_at timestamptz,
  ended_at timestamptz
);
create index orders_account on orders (account_id, created_at desc, id desc);
create index orders_created on orders (created_at desc, id desc);
create index orders_unfinished on orders (status, created_at) where ended_at is null;
create index orders_parent on orders (parent_order_id) where parent_order_id is not null;

-- One row per provider asked. The random client_ref is the provider's whole knowledge of the order.
create table provider_orders (
  id uuid primary key,
  order_id uuid not null references orders on delete cascade,
  provider text not null,
  provider_package_code text not null,
  client_ref text not null unique,
  provider_order_no text,
  state text not null check (state in ('placing', 'placed', 'provided', 'refused', 'releasing', 'released')),
  reason text,
  placed_after timestamptz not null,
  unique (order_id, provider)
);
create index provider_orders_no on provider_orders (provider, provider_order_no);

create table esims (
  id uuid primary key,
  order_id uuid not null references orders on delete cascade,
  provider text not null,
  esim_ref sealed not null,
  esim_ref_index blind not null,
  iccid sealed not null,
  activation_code sealed not null,
  state text not null,
  suspended boolean not null default false,
  total_bytes bigint,
  used_bytes bigint not null default 0,
  activated_at timestamptz,
  unused_until timestamptz,
  expires_at timestamptz,
  confirmation_code sealed,
  apn text,
  checked_at timestamptz not null,
  unique (order_id, esim_ref_index)
);
create index esims_ref on esims (provider, esim_ref_index);

create table refunds (
  order_id uuid not null references orders on delete cascade,
  refund_key text not null unique,
  amount_minor integer not null,
  stripe_refund_id text unique,
  state text not null,
  reason text not null,
  created_at timestamptz not null,
  primary key (order_id, refund_key)
);

create table disputes (
  stripe_dispute_id text primary key,
  order_id uuid references orders on delete cascade,
  state text not null,
  opened_at timestamptz not null,
  closed_at timestamptz
);
create index disputes_order on disputes (order_id);

-- Simplified invoices and credit notes: never edited, never naming anybody.
create table invoices (
  number text primary key,
  series text not null,
  sequence integer not null,
  kind text not null check (kind in ('invoice', 'credit_note')),
  issued_on date not null,
  supplied_on date not null,
  seller text not null,
  description text not null,
  destination text not null,
  quantity integer not null,
  net_minor integer not null,
  tax_minor integer not null,
  gross_minor integer not null,
  tax_rate_bps integer not null,
  currency char(3) not null,
  payment_kind text not null,
  corrects text references invoices,
  unique (series, sequence)
);
create index invoices_issued_on on invoices (issued_on);

-- The only tie between an invoice and an order; erasure deletes it.
create table invoice_links (
  order_id uuid not null references orders on delete cascade,
  document_key text not null,
  number text not null unique references invoices on delete cascade,
  primary key (order_id, document_key)
);

-- A sequence would leave gaps on rollback.
create table counters (
  series text primary key,
  last integer not null
);

-- Mail and push have no idempotency of their own: a row here is written before anything is sent.
create table sends (
  subject_id uuid not null,
  kind text not null,
  account_id uuid references accounts on delete cascade,
  state text not null check (state in ('due', 'sending', 'sent', 'failed', 'skipped')),
  code text,
  attempts integer not null default 0,
  first_at timestamptz not null,
  done_at timestamptz,
  primary key (subject_id, kind)
);
create index sends_account on sends (account_id);

create table webhook_events (
  source text not null,
  event_id text not null,
  received_at timestamptz not null,
  primary key (source, event_id)
);
create index webhook_events_received on webhook_events (received_at);

create table idempotency_keys (
  scope text not null,
  key_hash bytea not null,
  request_hash bytea not null,
  resource_id text not null,
  created_at timestamptz not null,
  primary key (scope, key_hash)
);
create index idempotency_keys_created on idempotency_keys (created_at);
create index idempotency_keys_resource on idempotency_keys (resource_id);

-- What only a person can settle. Shown on the console until resolved.
create table attention (
  id uuid primary key,
  kind text not null,
  subject_id text not null,
  detail text,
  opened_at timestamptz not null,
  resolved_at timestamptz,
  resolved_by text,
  unique (kind, subject_id)
);
create index attention_open on attention (opened_at) where resolved_at is null;

create table security_log (
  at timestamptz not null,
  kind text not null,
  actor text not null,
  account_id uuid,
  ip sealed,
  detail text,
  request_id text
) partition by range (at);
create index security_log_account on security_log (account_id) where account_id is not null;
