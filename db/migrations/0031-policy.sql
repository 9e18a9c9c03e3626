-- N1: every version of the privacy policy that was ever posted.
create table policies (
  version text primary key,
  title text not null,
  -- Markdown: headings, lists, paragraphs
  body text not null,
  -- what changes, a sentence each
  changes text[] not null,
  material boolean not null,
  -- `draft`: not seen by anybody yet
  state text not null check (state in ('draft', 'posted', 'in_force', 'superseded', 'withdrawn')),
  created_at timestamptz not null,
  created_by text not null,
  posted_at timestamptz,
  -- as it was first announced, and as it stands: it moves rather than break the promise
  announced_for timestamptz not null,
  effective_at timestamptz not null,
  moves integer not null default 0,
  ended_at timestamptz
);
create unique index policies_in_force on policies ((true)) where state = 'in_force';
create unique index policies_coming on policies ((true)) where state = 'posted';

-- N2: who was told what about a version. Written before a mail is sent.
create table policy_deliveries (
  version text not null references policies on delete cascade,
  -- `announced`, `moved:<n>` or `withdrawn`
  notice text not null,
  account_id uuid not null references accounts on delete cascade,
  -- `bounced`: taken by the mail server, and come back later
  state text not null check (state in ('sending', 'due', 'sent', 'failed', 'bounced')),
  code text,
  attempts integer not null,
  -- the effective date named in the mail
  told_for timestamptz not null,
  claimed_at timestamptz not null,
  sent_at timestamptz,
  -- under which a bounce names it; made of nothing that leads to the person without our key
  message_ref text not null,
  primary key (version, notice, account_id)
);
create index policy_deliveries_account on policy_deliveries (account_id);
create index policy_deliveries_unsettled on policy_deliveries (version, notice, account_id)
  where state in ('sending', 'due', 'failed', 'bounced');
create index policy_deliveries_sent on policy_deliveries (version, notice, sent_at desc) where state = 'sent';
create unique index policy_deliveries_message on policy_deliveries (message_ref);
