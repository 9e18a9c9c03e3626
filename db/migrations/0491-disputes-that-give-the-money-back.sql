-- The customer has the money from the bank for good: a dispute that was lost, or was prevented by giving it back.
alter table disputes add column taken_back boolean not null default false;
update disputes set taken_back = true where state = 'lost';
