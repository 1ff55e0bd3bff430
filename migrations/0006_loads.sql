-- Loads of many at once, from files, schedules and series of vouchers; claw-backs of many; vouchers.

CREATE SEQUENCE load_list_seq AS bigint;
CREATE SEQUENCE load_schedule_seq AS bigint;
CREATE SEQUENCE voucher_series_seq AS bigint;

-- What is loaded or taken back for many holders at once. `run_day` is the day under which the keys of its lines are
-- stored, so that a line has one effect however late it is run again.
CREATE TABLE load_lists (
  id          bigint NOT NULL,
  made_at     timestamptz NOT NULL,
  checked_at  timestamptz,
  run_at      timestamptz,
  resumed_at  timestamptz,
  finished_at timestamptz,
  leased_until timestamptz,
  expires_at  timestamptz,
  total       bigint NOT NULL DEFAULT 0,
  loaded_total bigint NOT NULL DEFAULT 0,
  schedule    bigint,
  series      bigint,
  tenant      integer NOT NULL,
  version     integer NOT NULL DEFAULT 1,
  program     integer,
  funder      integer,
  -- The only organisation whose credit its lines may load; NULL: any.
  only_funder integer,
  period      integer,
  run_day     integer,
  lines       integer NOT NULL DEFAULT 0,
  accepted    integer NOT NULL DEFAULT 0,
  rejected    integer NOT NULL DEFAULT 0,
  done        integer NOT NULL DEFAULT 0,
  loaded      integer NOT NULL DEFAULT 0,
  resumed_done integer NOT NULL DEFAULT 0,
  made_by     integer NOT NULL,
  size        integer NOT NULL DEFAULT 0,
  kind        text NOT NULL CHECK (kind IN ('load', 'clawback')),
  source      text NOT NULL CHECK (source IN ('file', 'schedule', 'vouchers', 'request')),
  state       text NOT NULL CHECK (state IN ('checked', 'running', 'done', 'cancelled')),
  actor       text NOT NULL,
  name        text,
  reason      text,
  reference   text,
  ignored     text[] NOT NULL DEFAULT '{}',
  hash        bytea CHECK (length(hash) = 32),
  PRIMARY KEY (tenant, id),
  CHECK ((state IN ('running', 'done')) = (run_day IS NOT NULL))
);
COMMENT ON COLUMN load_lists.hash IS 'Of the file''s bytes and the reference it was sent under';
COMMENT ON COLUMN load_lists.period IS 'Of a schedule: the first day of the month that it is of';
-- A file is loaded once, a schedule runs once a period.
CREATE UNIQUE INDEX load_lists_by_hash ON load_lists (tenant, hash) WHERE hash IS NOT NULL AND state <> 'cancelled';
CREATE UNIQUE INDEX load_lists_by_period ON load_lists (tenant, schedule, period) WHERE schedule IS NOT NULL;
CREATE INDEX load_lists_running ON load_lists (tenant, id) WHERE state = 'running';

-- A card number or national code is here only as its keyed hash and its last four digits.
CREATE TABLE load_lines (
  list       bigint NOT NULL,
  holder     bigint,
  amount     bigint,
  lot        bigint,
  expires_at timestamptz,
  tenant     integer NOT NULL,
  line       integer NOT NULL,
  program    integer,
  funder     integer,
  state      smallint NOT NULL CHECK (state BETWEEN 0 AND 2),
  by         smallint CHECK (by BETWEEN 0 AND 4),
  is_fixed   boolean NOT NULL DEFAULT false,
  field      text,
  reason     text,
  shown      text,
  key        bytea,
  PRIMARY KEY (tenant, list, line)
);
COMMENT ON COLUMN load_lines.state IS '0 accepted, 1 rejected, 2 done';
COMMENT ON COLUMN load_lines.by IS 'What names the holder: 0 reference, 1 card, 2 national code, 3 mobile, 4 holder';
COMMENT ON COLUMN load_lines.is_fixed IS 'Rejected for what it says, whatever else may change';

-- `next_day`: the local day of the next period that is due, at `minute` after midnight.
CREATE TABLE load_schedules (
  id           bigint NOT NULL,
  made_at      timestamptz NOT NULL,
  due_at       timestamptz NOT NULL,
  amount       bigint NOT NULL CHECK (amount > 0),
  tenant       integer NOT NULL,
  version      integer NOT NULL DEFAULT 1,
  program      integer NOT NULL,
  funder       integer NOT NULL,
  next_day     integer NOT NULL,
  made_by      integer NOT NULL,
  day_of_month smallint NOT NULL CHECK (day_of_month BETWEEN 1 AND 31),
  minute       smallint NOT NULL CHECK (minute BETWEEN 0 AND 1439),
  status       text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'ended')),
  calendar     text NOT NULL CHECK (calendar IN ('gregorian', 'persian')),
  holders      text NOT NULL CHECK (holders IN ('program', 'list')),
  catch_up     text NOT NULL DEFAULT 'all' CHECK (catch_up IN ('all', 'latest')),
  actor        text NOT NULL,
  name         text NOT NULL,
  reason       text,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, program) REFERENCES programs,
  FOREIGN KEY (tenant, funder) REFERENCES organisations
);
CREATE INDEX load_schedules_due ON load_schedules (tenant, due_at) WHERE status = 'active';

-- Of a schedule for a list of holders: who, and how much where that differs.
CREATE TABLE load_schedule_members (
  schedule bigint NOT NULL,
  holder   bigint NOT NULL,
  amount   bigint CHECK (amount > 0),
  tenant   integer NOT NULL,
  PRIMARY KEY (tenant, schedule, holder),
  FOREIGN KEY (tenant, schedule) REFERENCES load_schedules
);

-- Changes of a card that move no value; those that do are in lot_movements.
CREATE TABLE card_events (
  card    bigint NOT NULL,
  at      timestamptz NOT NULL,
  tenant  integer NOT NULL,
  kind    text NOT NULL CHECK (kind IN ('issue', 'activate', 'block', 'unblock', 'merge')),
  reason  text,
  actor   text NOT NULL,
  key     uuid NOT NULL,
  PRIMARY KEY (tenant, card, at, key)
);
CREATE UNIQUE INDEX card_events_by_key ON card_events (tenant, key, card);

-- Its codes are made from `salt`, the serial number and a key that is not in the database; without a salt they cannot
-- be made again.
CREATE TABLE voucher_series (
  id          bigint NOT NULL,
  made_at     timestamptz NOT NULL,
  valid_from  timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  sealed_at   timestamptz,
  first_holder bigint NOT NULL,
  amount      bigint NOT NULL CHECK (amount > 0),
  list        bigint NOT NULL,
  tenant      integer NOT NULL,
  version     integer NOT NULL DEFAULT 1,
  program     integer NOT NULL,
  funder      integer NOT NULL,
  count       integer NOT NULL CHECK (count BETWEEN 1 AND 100000),
  made_by     integer NOT NULL,
  name        text NOT NULL,
  actor       text NOT NULL,
  salt        bytea CHECK (length(salt) = 32),
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, program) REFERENCES programs,
  CHECK ((salt IS NULL) = (sealed_at IS NOT NULL))
);
