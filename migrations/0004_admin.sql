-- The admin API: who may do what, requests that have been answered, what waits for a second person, who changed what.

-- `role` stands for scopes (src/http/scopes.ts), beside those in `scopes`. A key of an organisation sees only its own.
ALTER TABLE api_keys
  ADD COLUMN role text CHECK (role IN ('operator', 'finance', 'merchant', 'organisation', 'auditor')),
  ADD COLUMN organisation integer,
  ADD COLUMN made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ADD COLUMN disabled_at timestamptz,
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD FOREIGN KEY (tenant, organisation) REFERENCES organisations;
CREATE INDEX api_keys_by_tenant ON api_keys (tenant, id);
ALTER TABLE tenants ADD COLUMN version integer NOT NULL DEFAULT 1;

-- The answer to every request that made something and whose effect is not a decision of the engine: written in the
-- transaction of the effect, so that a repeat gets the same bytes. `content` is a fingerprint.
CREATE TABLE admin_requests (
  made_at timestamptz NOT NULL,
  key     uuid NOT NULL,
  tenant  integer NOT NULL,
  version integer,
  status  smallint NOT NULL,
  content text NOT NULL,
  body    text NOT NULL,
  PRIMARY KEY (tenant, key)
);

-- What waits for a second person. `request` is what is to be done, `answer` what came of it.
CREATE TABLE approvals (
  id            bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  made_at       timestamptz NOT NULL,
  decided_at    timestamptz,
  key           uuid NOT NULL,
  tenant        integer NOT NULL,
  made_by       integer NOT NULL,
  decided_by    integer,
  kind          text NOT NULL,
  status        text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'approved', 'rejected')),
  made_label    text NOT NULL,
  decided_label text,
  content       text NOT NULL,
  note          text,
  request       json NOT NULL,
  answer        json,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, key),
  CHECK ((status = 'waiting') = (decided_by IS NULL)),
  CHECK (decided_by <> made_by)
);
CREATE INDEX approvals_waiting ON approvals (tenant, id) WHERE status = 'waiting';

-- Who changed what. `key`: of a command of the engine, whose line is written after its decision and only once.
CREATE TABLE audit_log (
  id        bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  at        timestamptz NOT NULL,
  key       uuid,
  tenant    integer NOT NULL,
  api_key   integer NOT NULL,
  actor     text NOT NULL,
  action    text NOT NULL,
  entity    text NOT NULL,
  entity_id text NOT NULL,
  before    json,
  after     json,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX audit_log_by_key ON audit_log (tenant, key) WHERE key IS NOT NULL;
CREATE INDEX audit_log_by_entity ON audit_log (tenant, entity, entity_id, id);
CREATE INDEX audit_log_by_actor ON audit_log (tenant, api_key, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
