-- What organisations have paid in, and what was paid back to them: written with its decision, which has the postings.
CREATE TABLE organisation_movements (
  batch_seq    bigint NOT NULL,
  at           timestamptz NOT NULL,
  amount       bigint NOT NULL,
  balance      bigint,
  tenant       integer NOT NULL,
  organisation integer NOT NULL,
  idx          smallint NOT NULL,
  reason       text,
  reference    text,
  actor        text,
  PRIMARY KEY (tenant, organisation, batch_seq, idx)
);
COMMENT ON COLUMN organisation_movements.amount IS 'Below zero: paid back to it';
COMMENT ON COLUMN organisation_movements.balance IS 'What it had left after it; NULL: copied from the audit log';

-- Those of before, as far as their line in the audit log was written. It is only read: nobody waits for this.
INSERT INTO organisation_movements (batch_seq, at, amount, tenant, organisation, idx, reason, reference, actor)
SELECT split_part(a.after ->> 'id', '-', 1)::bigint, (a.after ->> 'at')::timestamptz, (a.after ->> 'amount')::bigint,
  a.tenant, o.id, split_part(a.after ->> 'id', '-', 2)::smallint, a.after ->> 'reason', a.after ->> 'reference', a.actor
FROM audit_log a JOIN organisations o ON o.tenant = a.tenant AND o.code = a.entity_id
WHERE a.entity = 'organisation' AND a.action = 'deposit'
ON CONFLICT DO NOTHING;
