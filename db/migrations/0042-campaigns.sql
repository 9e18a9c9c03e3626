-- U4: promotions, to those who asked for them.
create table campaigns (
  id uuid primary key,
  subject text not null,
  paragraphs text[] not null,
  action_label text,
  action_url text,
  state text not null default 'sending' check (state in ('sending', 'paused', 'done', 'cancelled')),
  created_at timestamptz not null,
  created_by text not null,
  ended_at timestamptz
);
create index campaigns_created on campaigns (created_at desc, id desc);

-- Written before a mail is sent: a row that is not `due` is never sent again.
create table campaign_deliveries (
  campaign_id uuid not null references campaigns on delete cascade,
  account_id uuid not null references accounts on delete cascade,
  state text not null check (state in ('due', 'sending', 'sent', 'refused', 'unknown')),
  at timestamptz not null,
  primary key (campaign_id, account_id)
);
create index campaign_deliveries_account on campaign_deliveries (account_id);
create index campaign_deliveries_sent on campaign_deliveries (at) where state = 'sent';

create index accounts_promotions on accounts (id) where promotions;
