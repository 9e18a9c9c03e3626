-- What the consumer states, word for word: the acknowledgement has to repeat it in the language in which it was stated
-- (Directive 2011/83/EU, Article 11a(4)). Null in rows of programs that did not know it, whose statements were English.
alter table withdrawals add column statement text;
update withdrawals set statement = 'I hereby withdraw from the contract of order ' || order_id || '.';
