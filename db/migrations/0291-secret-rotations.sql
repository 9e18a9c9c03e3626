-- The request that made the present secret: repeated, it gets the same one, and any other request rotates.
alter table webhook_endpoints add column rotation_id uuid;
