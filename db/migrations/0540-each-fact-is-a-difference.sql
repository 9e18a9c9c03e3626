-- An order can have several facts of one kind, such as two further payments: each is a difference of its own. Empty where a subject
-- can have one alone.
alter table reconciliation_differences add column part text not null default '';
alter table reconciliation_differences drop constraint reconciliation_differences_pkey;
alter table reconciliation_differences add primary key (reconciliation_id, kind, subject_id, part);
