-- Temporal makes its own two databases on the same server.
create role temporal login createdb password 'temporal';
