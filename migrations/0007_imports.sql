-- First loads from files (`charsu import`): how far each file has come. It moves in the transaction of the lines, so that
-- an import which was killed goes on after the last line that is there. `lines`: of the file, with the line of titles.
-- `rejects_bytes`: how long the list of rejected lines was by then.
CREATE TABLE imports (
  started_at    timestamptz NOT NULL,
  changed_at    timestamptz NOT NULL,
  finished_at   timestamptz,
  lines         bigint NOT NULL DEFAULT 0,
  rejects_bytes bigint NOT NULL DEFAULT 0,
  tenant        integer NOT NULL REFERENCES tenants,
  id            integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  kind          text NOT NULL CHECK (kind IN ('cardholders', 'cards', 'merchants', 'terminals')),
  file_name     text NOT NULL,
  file_hash     bytea NOT NULL CHECK (length(file_hash) = 32),
  settings      text NOT NULL,
  report        json NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX imports_unfinished ON imports (tenant, kind, file_hash) WHERE finished_at IS NULL;
