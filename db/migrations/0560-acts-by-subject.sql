-- The report of a bulk action lists who has paused, resumed or cancelled it: acts whose subject is its id.
create index operator_acts_subject on operator_acts (subject) where subject is not null;
