-- The list of what moved value outside purchases, by time. All rows of a batch have one time, so that it is small.
CREATE INDEX lot_movements_by_time ON lot_movements (tenant, at);
