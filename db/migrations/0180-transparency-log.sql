-- Deletion receipts, posted policies and each night's evidence, by their hashes: an append-only chain. A deletion has
-- nothing but the hash of a statement with a salt, and its day is that of the night in which it was appended.
create table transparency_log (
  seq integer primary key,
  kind text not null check (kind in ('deletion', 'policy', 'evidence', 'signing_key', 'gap')),
  day date not null,
  leaf text not null unique check (leaf ~ '^[0-9a-f]{64}$'),
  previous text not null,
  hash text not null unique,
  -- public statements alone; that of a deletion is with the person
  statement text check ((statement is null) = (kind = 'deletion'))
);
create unique index transparency_log_evidence on transparency_log (day) where kind = 'evidence';

-- The end of the chain. Whoever appends holds this row's lock, so that no two entries follow the same one.
create table transparency_head (
  only_row boolean primary key default true check (only_row),
  seq integer not null,
  hash text not null,
  -- the last entry of which a copy is outside of this database: later ones are not shown yet
  published_seq integer not null check (published_seq <= seq)
);
insert into transparency_head (seq, hash, published_seq) values (0, repeat('0', 64), 0);

-- Numbers and chains an entry, whatever the caller sent. A statement that is there already is left out, as is a second
-- evidence of a day. A sender's `hash`, from a copy, has to be the one that comes out.
create function chain_entry() returns trigger language plpgsql as $$
declare
  head transparency_head%rowtype;
  expected text := new.hash;
begin
  select * into strict head from transparency_head for update;
  if exists (select from transparency_log where leaf = new.leaf)
    or (new.kind = 'evidence' and exists (select from transparency_log where kind = 'evidence' and day = new.day)) then
    return null;
  end if;
  if new.statement is not null and new.leaf <> encode(sha256(convert_to(new.statement, 'UTF8')), 'hex') then
    raise exception 'the leaf is not the hash of its statement' using errcode = 'check_violation';
  end if;
  new.seq := head.seq + 1;
  new.previous := head.hash;
  new.hash := encode(sha256(convert_to(
    format('%s %s %s %s %s', new.seq, new.kind, to_char(new.day, 'YYYY-MM-DD'), new.leaf, new.previous), 'UTF8')), 'hex');
  if expected is not null and expected <> new.hash then
    raise exception 'entry % of the transparency log would fork it', new.seq using errcode = 'restrict_violation';
  end if;
  update transparency_head set seq = new.seq, hash = new.hash;
  return new;
end $$;
create trigger chain_entry before insert on transparency_log for each row execute function chain_entry();

create function refuse_log_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger transparency_log_append_only before update or delete or truncate on transparency_log
  for each statement execute function refuse_log_change();
create trigger transparency_head_stays before insert or delete or truncate on transparency_head
  for each statement execute function refuse_log_change();

-- The head only goes forward: by one entry, or after a restore to an end of the chain that was kept outside.
create function keep_head_forward() returns trigger language plpgsql as $$
begin
  if new.seq < old.seq or new.published_seq < old.published_seq or (new.seq = old.seq and new.hash <> old.hash) then
    raise exception 'the transparency log only goes forward' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger transparency_head_forward before update on transparency_head
  for each row execute function keep_head_forward();

-- Public keys stay after their private keys are gone: receipts that persons hold are verified by them.
create table signing_keys (
  id text primary key,
  public_key bytea not null unique check (octet_length(public_key) = 32),
  first_used_on date not null
);
create trigger signing_keys_append_only before update or delete or truncate on signing_keys
  for each statement execute function refuse_log_change();

-- How many statements of a deletion are in the log: that of the erasure, then that of its completion.
alter table deletions add column logged integer not null default 0 check (logged between 0 and 2);
create index deletions_unlogged on deletions (receipt_id)
  where logged < case when completed_at is null then 1 else 2 end;
