-- The list of what moved value outside purchases, by time. All rows of a batch have one time, so that it is small.
-- It may have been made beforehand, without keeping anybody waiting: see docs/operators.md.
CREATE INDEX IF NOT EXISTS lot_movements_by_time ON lot_movements (tenant, at);
