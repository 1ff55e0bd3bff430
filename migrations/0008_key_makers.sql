-- Which key an API key was made with: whoever holds one may hold the other, so neither decides what the other asks for.
ALTER TABLE api_keys ADD COLUMN made_by integer;
COMMENT ON COLUMN api_keys.made_by IS 'The key that it was made with; null: it was there from the start';
UPDATE api_keys k SET made_by = l.api_key FROM audit_log l
WHERE l.tenant = k.tenant AND l.entity = 'api-key' AND l.entity_id = k.id::text AND l.action = 'create';
