-- Cards and accounts, as operators look for them.

ALTER TABLE cards ADD COLUMN status_reason text;
COMMENT ON COLUMN cards.status_reason IS 'Why it is blocked, replaced or closed, in an operator''s words';
CREATE INDEX cards_by_last4 ON cards (tenant, last4, id);
-- Most cards are active: those that are not are few enough to be listed.
CREATE INDEX cards_by_status ON cards (tenant, status, id) WHERE status <> 0;

-- The answers about one transaction, for statements. They are written soon after one another, so that a few intervals
-- of ids for each range of pages find them, and nothing is paid for it when they are written.
CREATE INDEX decisions_by_transaction ON decisions USING brin (txn int8_minmax_multi_ops)
  WITH (pages_per_range = 32, autosummarize = on);
