-- PostgreSQL cleans a page of old versions whenever less of it is free than inserts leave free (`fillfactor`): with
-- much kept free for the versions of lots, that was at every change, a tenth of what it took. Now inserts fill pages,
-- and a lot brings the room for versions along: it gives it up at its first change, and full pages are cleaned.
-- Behind a long reader (an audit, a dump) it would wait, and all batches behind it: then it fails, and is run again.
SET LOCAL lock_timeout = '1s';
ALTER TABLE lots ADD COLUMN spare bytea DEFAULT decode(repeat('00', 71), 'hex');
COMMENT ON COLUMN lots.spare IS 'Room on the page, of no meaning; NULL since it was first changed';
ALTER TABLE lots SET (fillfactor = 90);
