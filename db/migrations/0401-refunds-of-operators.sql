-- What operators have given back within a day is added up before each further refund (db/operator/refund-sums.ts).
create index operator_acts_amount on operator_acts (asked_at) where amount_minor > 0 and bulk_action_id is null;
create index bulk_actions_started on bulk_actions (started_at) where started_at is not null;
