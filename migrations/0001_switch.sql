-- The switch: reference data, the ledger and what the engine writes. The columns of the hot tables are ordered
-- eight bytes first, so that no row carries padding. There are no foreign keys on hot tables: a look-up for each row
-- costs four times the insert, and locks the one merchant that everybody pays. `charsu audit` checks the references.

CREATE SEQUENCE batch_seq AS bigint;
-- One number for each transaction; 32 bits of it go into the id, which also carries the day.
CREATE SEQUENCE transaction_seq AS bigint CACHE 1;
-- Lots are accounts with positive ids, the accounts of the catalog have negative ones.
CREATE SEQUENCE lot_seq AS bigint;
CREATE SEQUENCE catalog_account_seq AS bigint INCREMENT BY -1 MAXVALUE -1 MINVALUE -9007199254740991 START -1;

-- Reference data ----------------------------------------------------------------------------------

CREATE TABLE tenants (
  id               integer PRIMARY KEY,
  code             text NOT NULL UNIQUE,
  name             text NOT NULL,
  currency         smallint NOT NULL,
  time_zone        text NOT NULL,
  cut_over_seconds integer NOT NULL DEFAULT 0 CHECK (cut_over_seconds BETWEEN 0 AND 86399),
  clearing_account bigint NOT NULL,
  -- Made from the files of the demo, with keys and card numbers that everybody knows.
  demo             boolean NOT NULL DEFAULT false,
  -- Moves with every change of the tenant's reference data; the switches read it again when it does.
  catalog_version  bigint NOT NULL DEFAULT 1
);

CREATE TABLE assets (
  tenant  integer NOT NULL REFERENCES tenants DEFERRABLE INITIALLY DEFERRED,
  id      smallint NOT NULL,
  code    text NOT NULL,
  numeric text,
  scale   smallint NOT NULL CHECK (scale BETWEEN 0 AND 8),
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, code)
);

-- The accounts that are not lots: what is owed to merchants, funding, clearing.
CREATE TABLE accounts (
  tenant integer NOT NULL REFERENCES tenants,
  id     bigint NOT NULL CHECK (id < 0),
  kind   text NOT NULL CHECK (kind IN ('payable', 'funding', 'clearing')),
  asset  smallint NOT NULL,
  code   text NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, kind, code),
  FOREIGN KEY (tenant, asset) REFERENCES assets
);

-- Who loads lots: the business itself, or a sponsor organisation.
CREATE TABLE organisations (
  tenant  integer NOT NULL REFERENCES tenants,
  id      integer NOT NULL,
  code    text NOT NULL,
  name    text NOT NULL,
  account bigint NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, code),
  FOREIGN KEY (tenant, account) REFERENCES accounts
);

CREATE TABLE merchants (
  tenant   integer NOT NULL REFERENCES tenants,
  id       integer NOT NULL,
  code     text NOT NULL CHECK (length(code) BETWEEN 1 AND 15),
  name     text NOT NULL,
  category text,
  payable  bigint NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, code),
  FOREIGN KEY (tenant, payable) REFERENCES accounts
);

CREATE TABLE terminals (
  tenant                 integer NOT NULL REFERENCES tenants,
  id                     integer NOT NULL,
  code                   text NOT NULL CHECK (length(code) BETWEEN 1 AND 8),
  merchant               integer NOT NULL,
  channel                text NOT NULL DEFAULT 'pos' CHECK (channel IN ('pos', 'web', 'app')),
  confirmation           text NOT NULL DEFAULT 'explicit' CHECK (confirmation IN ('explicit', 'implicit')),
  partial                boolean NOT NULL DEFAULT false,
  confirm_within_seconds integer CHECK (confirm_within_seconds BETWEEN 1 AND 2678400),
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, code),
  FOREIGN KEY (tenant, merchant) REFERENCES merchants
);

CREATE TABLE programs (
  tenant                 integer NOT NULL REFERENCES tenants,
  id                     integer NOT NULL,
  code                   text NOT NULL,
  kind                   text NOT NULL CHECK (kind IN ('credit', 'welfare', 'gift', 'voucher')),
  asset                  smallint NOT NULL,
  priority               integer NOT NULL DEFAULT 0,
  confirm_within_seconds integer CHECK (confirm_within_seconds BETWEEN 1 AND 2678400),
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, code),
  FOREIGN KEY (tenant, asset) REFERENCES assets
);

CREATE TABLE api_keys (
  id        integer PRIMARY KEY CHECK (id BETWEEN 1 AND 1073741823),
  tenant    integer NOT NULL REFERENCES tenants,
  hash      bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
  label     text NOT NULL,
  scopes    text[] NOT NULL,
  merchants text[] NOT NULL,
  -- A key of the demo tenant: it is taken only in demo mode, on loopback.
  demo      boolean NOT NULL DEFAULT false
);

-- What a secret of the switch is checked against at the start, so that two switches cannot run under different ones.
CREATE TABLE secret_checks (
  name  text PRIMARY KEY,
  value text NOT NULL
);

-- Holders, cards and lots -------------------------------------------------------------------------

-- The row of a cardholder is the lock: lots, limits and transactions of a holder are read and changed only under it.
CREATE TABLE cardholders (
  id     bigint NOT NULL,
  tenant integer NOT NULL,
  PRIMARY KEY (tenant, id)
) WITH (fillfactor = 80);

-- A card is its token, a keyed hash of the PAN: the PAN itself is nowhere.
CREATE TABLE cards (
  token      uuid NOT NULL,
  holder     bigint NOT NULL,
  expires_at timestamptz,
  tenant     integer NOT NULL,
  status     smallint NOT NULL DEFAULT 0 CHECK (status IN (0, 1)),
  last4      text NOT NULL CHECK (last4 ~ '^[0-9]{4}$'),
  PRIMARY KEY (tenant, token)
);
COMMENT ON COLUMN cards.status IS '0 active, 1 blocked';
CREATE INDEX cards_by_holder ON cards (tenant, holder);

CREATE TABLE lots (
  holder         bigint NOT NULL,
  lot            bigint NOT NULL CHECK (lot > 0),
  debits_pending  bigint NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),
  debits_posted   bigint NOT NULL DEFAULT 0 CHECK (debits_posted >= 0),
  credits_pending bigint NOT NULL DEFAULT 0 CHECK (credits_pending >= 0),
  credits_posted  bigint NOT NULL DEFAULT 0 CHECK (credits_posted >= 0),
  credit_limit    bigint NOT NULL DEFAULT 0 CHECK (credit_limit >= 0),
  expires_at     timestamptz,
  tenant         integer NOT NULL,
  program        integer NOT NULL,
  funder         integer NOT NULL,
  asset          smallint NOT NULL,
  PRIMARY KEY (tenant, holder, lot),
  CONSTRAINT lot_within_limit CHECK (credits_posted + credit_limit >= debits_posted + debits_pending)
) WITH (fillfactor = 60);

-- What the engine writes --------------------------------------------------------------------------

-- The stored answers, append only. `legs` are the postings: debit, credit, pending, posted, remaining for each.
CREATE TABLE decisions (
  key        uuid NOT NULL,
  txn        bigint,
  batch_seq  bigint NOT NULL,
  at         timestamptz NOT NULL,
  requested  bigint,
  authorized bigint,
  confirmed  bigint,
  reversed   bigint,
  refunded   bigint,
  tenant     integer NOT NULL,
  day        integer NOT NULL,
  idx        smallint NOT NULL,
  kind       smallint NOT NULL,
  reason     smallint NOT NULL,
  phase      smallint,
  render     smallint NOT NULL,
  content    bytea NOT NULL,
  legs       bigint[],
  balances   json,
  PRIMARY KEY (tenant, day, key)
) PARTITION BY RANGE (day);
COMMENT ON COLUMN decisions.day IS 'Days since 1970-01-01: of the time in the key (DE7), or on which it was first seen';
COMMENT ON COLUMN decisions.content IS 'Fingerprint of the request; empty: refuses whatever comes under this key';
COMMENT ON COLUMN decisions.render IS 'Version of the rendering of the answer';

-- Half of a page is left free: a row is inserted and soon updated once, and that update stays on its page (HOT).
CREATE TABLE transactions (
  id            bigint NOT NULL,
  holder        bigint,
  requested     bigint NOT NULL,
  authorized    bigint NOT NULL,
  confirmed     bigint NOT NULL,
  reversed      bigint NOT NULL,
  refunded      bigint NOT NULL,
  at            timestamptz NOT NULL,
  expires_at    timestamptz,
  confirmed_in  bigint,
  original      bigint,
  card          uuid NOT NULL,
  tenant        integer NOT NULL,
  day           integer NOT NULL,
  merchant      integer,
  terminal      integer,
  business_date integer NOT NULL,
  stan          integer,
  asset         smallint NOT NULL,
  version       smallint NOT NULL,
  phase         smallint NOT NULL,
  reason        smallint NOT NULL,
  kind          smallint NOT NULL,
  rrn           text,
  reference     text,
  legs          bigint[],
  PRIMARY KEY (tenant, day, id)
) PARTITION BY RANGE (day);
COMMENT ON COLUMN transactions.day IS 'Days since 1970-01-01, UTC, as in the id';
COMMENT ON COLUMN transactions.business_date IS 'Days since 1970-01-01, in the tenant''s zone and after its cut-over';
COMMENT ON COLUMN transactions.legs IS 'lot, program, funder, held, posted for each';
-- Only requests that bring a number of their own are in these; neither column is ever updated.
CREATE INDEX transactions_by_rrn ON transactions (tenant, merchant, rrn) WHERE rrn IS NOT NULL;
CREATE INDEX transactions_by_reference ON transactions (tenant, merchant, reference) WHERE reference IS NOT NULL;

-- A settlement reads the decisions of a range of batches; in an append-only table this index is a few pages a day.
CREATE INDEX decisions_by_batch ON decisions USING brin (batch_seq) WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE decisions_other PARTITION OF decisions DEFAULT;
CREATE TABLE transactions_other PARTITION OF transactions DEFAULT WITH (fillfactor = 50);

-- One row for each batch: its place in the hash chain of the lane's run.
CREATE TABLE batches (
  seq       bigint NOT NULL,
  at        timestamptz NOT NULL,
  position  bigint NOT NULL,
  run       uuid NOT NULL,
  tenant    integer NOT NULL,
  decisions integer NOT NULL,
  hash      bytea NOT NULL,
  PRIMARY KEY (tenant, seq)
);

-- The holds of one batch that run out at the same moment, so that expiry needs no index on the phase of a transaction.
CREATE TABLE hold_deadlines (
  due       timestamptz NOT NULL,
  batch_seq bigint NOT NULL,
  tenant    integer NOT NULL,
  txns      bigint[] NOT NULL,
  PRIMARY KEY (tenant, due, batch_seq)
);

-- Reversals by bill number that came before any request for the bill: the first such request is refused, once.
CREATE TABLE remembered_reversals (
  at        timestamptz NOT NULL,
  tenant    integer NOT NULL,
  merchant  integer NOT NULL,
  reference text NOT NULL,
  PRIMARY KEY (tenant, merchant, reference)
);

-- Settlement --------------------------------------------------------------------------------------

-- Requests to close, by their keys: a repeat gets the settlements that the first one closed.
CREATE TABLE settlement_requests (
  at      timestamptz NOT NULL,
  key     uuid NOT NULL,
  tenant  integer NOT NULL REFERENCES tenants,
  content bytea NOT NULL,
  PRIMARY KEY (tenant, key)
);

-- Closed when the watermark is stored; posted when its lines and totals are there.
CREATE TABLE settlements (
  tenant        integer NOT NULL REFERENCES tenants,
  id            bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  merchant      integer NOT NULL,
  number        integer NOT NULL,
  after_batch   bigint NOT NULL,
  up_to_batch   bigint NOT NULL,
  business_date integer NOT NULL,
  closed_at     timestamptz NOT NULL,
  posted_at     timestamptz,
  purchases     bigint NOT NULL DEFAULT 0,
  purchase_count integer NOT NULL DEFAULT 0,
  refunds       bigint NOT NULL DEFAULT 0,
  refund_count  integer NOT NULL DEFAULT 0,
  net           bigint NOT NULL DEFAULT 0,
  request       uuid NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, merchant, number),
  FOREIGN KEY (tenant, merchant) REFERENCES merchants,
  FOREIGN KEY (tenant, request) REFERENCES settlement_requests,
  CHECK (after_batch < up_to_batch),
  CHECK (net = purchases - refunds)
);
CREATE INDEX settlements_by_watermark ON settlements (tenant, merchant, up_to_batch);
CREATE INDEX settlements_by_request ON settlements (tenant, request);

CREATE TABLE settlement_lines (
  tenant     integer NOT NULL,
  settlement bigint NOT NULL,
  txn        bigint NOT NULL,
  kind       smallint NOT NULL,
  amount     bigint NOT NULL,
  PRIMARY KEY (tenant, settlement, txn),
  FOREIGN KEY (tenant, settlement) REFERENCES settlements
);

-- Helpers -----------------------------------------------------------------------------------------

-- A statement that did not touch the rows it was to touch fails, and its whole batch with it.
CREATE FUNCTION expect_rows(actual bigint, expected bigint, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF actual <> expected THEN
    RAISE EXCEPTION '%: % rows instead of %', what, actual, expected USING ERRCODE = 'CH001';
  END IF;
END $$;

-- The ledger as accountants read it: one row for each movement.
CREATE VIEW postings AS
  SELECT d.tenant, d.batch_seq, d.idx, d.at, d.kind, d.txn, leg,
         d.legs[leg * 5 + 1] AS debit, d.legs[leg * 5 + 2] AS credit,
         d.legs[leg * 5 + 3] AS pending, d.legs[leg * 5 + 4] AS posted
  FROM decisions d CROSS JOIN LATERAL generate_series(0, cardinality(d.legs) / 5 - 1) AS leg;

-- Partitions for the days `first` to `last` (days since 1970-01-01) that are not there yet. The default partition is
-- emptied into a new one, so that a terminal with a wrong clock cannot keep a day from being made.
CREATE PROCEDURE make_day_partitions(first integer, last integer) LANGUAGE plpgsql AS $$
DECLARE
  d integer;
  hot text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('make_day_partitions'));
  FOR d IN first..last LOOP
    FOREACH hot IN ARRAY ARRAY['decisions', 'transactions'] LOOP
      CONTINUE WHEN to_regclass(format('%s_%s', hot, d)) IS NOT NULL;
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = %s)',
        hot || '_' || d, hot, CASE hot WHEN 'transactions' THEN 50 ELSE 100 END);
      EXECUTE format('WITH moved AS (DELETE FROM %I WHERE day = %s RETURNING *) INSERT INTO %I SELECT * FROM moved',
        hot || '_other', d, hot || '_' || d);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', hot, hot || '_' || d, d, d + 1);
    END LOOP;
  END LOOP;
END $$;
