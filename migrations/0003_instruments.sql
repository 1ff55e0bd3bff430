-- Instruments: contracts of organisations, terms of programs, cards and their holders, limits, and what moves value
-- outside purchases.

CREATE SEQUENCE holder_seq AS bigint;
CREATE SEQUENCE card_seq AS bigint;
SELECT setval('holder_seq', greatest((SELECT max(id) FROM cardholders), 1), (SELECT count(*) > 0 FROM cardholders));

-- Tenants -----------------------------------------------------------------------------------------

ALTER TABLE accounts DROP CONSTRAINT accounts_kind_check;
ALTER TABLE accounts ADD CHECK (kind IN ('payable', 'funding', 'clearing', 'breakage', 'fees'));

-- `calendar` decides where weeks begin. Unspent value of expired lots goes to the account of breakage, what merchants
-- pay for settling to that of fees.
ALTER TABLE tenants
  ADD COLUMN calendar text NOT NULL DEFAULT 'gregorian' CHECK (calendar IN ('gregorian', 'persian')),
  ADD COLUMN breakage_account bigint,
  ADD COLUMN fees_account bigint,
  -- Loads, adjustments and claw-backs beyond this amount wait for a second person; NULL: none does.
  ADD COLUMN four_eyes_above bigint CHECK (four_eyes_above >= 0);
UPDATE tenants SET breakage_account = nextval('catalog_account_seq'), fees_account = nextval('catalog_account_seq');
ALTER TABLE tenants ALTER COLUMN breakage_account SET NOT NULL, ALTER COLUMN fees_account SET NOT NULL;
INSERT INTO accounts (tenant, id, kind, asset, code)
  SELECT id, breakage_account, 'breakage', currency, 'breakage' FROM tenants
  UNION ALL SELECT id, fees_account, 'fees', currency, 'fees' FROM tenants;

CREATE TABLE holidays (
  tenant integer NOT NULL REFERENCES tenants,
  day    integer NOT NULL,
  name   text NOT NULL,
  PRIMARY KEY (tenant, day)
);
COMMENT ON COLUMN holidays.day IS 'Days since 1970-01-01, in the tenant''s zone';

-- Parties -----------------------------------------------------------------------------------------

-- `version` moves with every change by the admin API: it is the ETag.
ALTER TABLE organisations
  ADD COLUMN contract text NOT NULL DEFAULT 'unlimited' CHECK (contract IN ('unlimited', 'prepaid', 'credit_line')),
  ADD COLUMN credit_limit bigint NOT NULL DEFAULT 0 CHECK (credit_limit >= 0),
  ADD COLUMN contract_number text,
  ADD COLUMN contract_from date,
  ADD COLUMN contract_until date,
  ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  ADD COLUMN version integer NOT NULL DEFAULT 1;

-- What an organisation has paid in less what it has loaded, and what its limits have counted: locked by a batch that
-- needs it, after the holders. `usage`: counter, window, amount, count for each.
CREATE TABLE organisation_counters (
  balance      bigint NOT NULL DEFAULT 0,
  tenant       integer NOT NULL,
  organisation integer NOT NULL,
  usage        bigint[],
  PRIMARY KEY (tenant, organisation)
) WITH (fillfactor = 20);
INSERT INTO organisation_counters (tenant, organisation, balance)
  SELECT o.tenant, o.id, coalesce(sum(p.change), 0)
  FROM organisations o LEFT JOIN (
    SELECT tenant, debit AS account, -posted AS change FROM postings
    UNION ALL SELECT tenant, credit, posted FROM postings) AS p ON p.tenant = o.tenant AND p.account = o.account
  GROUP BY o.tenant, o.id;

ALTER TABLE merchants
  ADD COLUMN groups text[] NOT NULL DEFAULT '{}',
  ADD COLUMN settlement_account text,
  -- Of each settlement's purchases: so many millionths, and so much for each of them.
  ADD COLUMN fee_millionths integer NOT NULL DEFAULT 0 CHECK (fee_millionths BETWEEN 0 AND 1000000),
  ADD COLUMN fee_each bigint NOT NULL DEFAULT 0 CHECK (fee_each >= 0),
  ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  ADD COLUMN version integer NOT NULL DEFAULT 1;

ALTER TABLE settlements ADD COLUMN fee bigint NOT NULL DEFAULT 0 CHECK (fee >= 0);

-- `operations` NULL: all of them.
ALTER TABLE terminals
  ADD COLUMN operations text[],
  ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  ADD COLUMN version integer NOT NULL DEFAULT 1;

-- Programs ----------------------------------------------------------------------------------------

-- `funder`: who pays for its loads, where a load does not say it. `bin`: what the numbers of its cards begin with.
ALTER TABLE programs
  ADD COLUMN name text,
  ADD COLUMN funder integer,
  ADD COLUMN bin text CHECK (bin ~ '^[0-9]{6,12}$'),
  ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'closed')),
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD FOREIGN KEY (tenant, funder) REFERENCES organisations;
UPDATE programs SET name = code;
ALTER TABLE programs ALTER COLUMN name SET NOT NULL;

-- A change of terms is a new row: what was decided under the old ones stays as it was decided.
CREATE TABLE program_terms (
  starts_at timestamptz NOT NULL,
  made_at   timestamptz NOT NULL,
  tenant    integer NOT NULL,
  program   integer NOT NULL,
  version   integer NOT NULL,
  made_by   text NOT NULL,
  terms     json NOT NULL,
  PRIMARY KEY (tenant, program, version),
  FOREIGN KEY (tenant, program) REFERENCES programs
);
INSERT INTO program_terms (starts_at, made_at, tenant, program, version, made_by, terms)
  SELECT 'epoch', clock_timestamp(), tenant, id, 1, 'migration',
    json_strip_nulls(json_build_object('priority', priority, 'confirmWithinSeconds', confirm_within_seconds))
  FROM programs;
ALTER TABLE programs DROP COLUMN priority, DROP COLUMN confirm_within_seconds;

-- Holders, cards, lots ----------------------------------------------------------------------------

-- What the limits of a holder's programs have counted: counter, window, amount, count for each.
ALTER TABLE cardholders ADD COLUMN usage bigint[];
ALTER TABLE cardholders SET (fillfactor = 50);

-- Who a holder is: apart from the row that is the lock. A national code is kept as a keyed hash.
CREATE TABLE cardholder_profiles (
  holder        bigint NOT NULL,
  made_at       timestamptz NOT NULL,
  tenant        integer NOT NULL,
  version       integer NOT NULL DEFAULT 1,
  reference     text,
  name          text,
  mobile        text,
  national_hash bytea CHECK (length(national_hash) = 32),
  national_last text CHECK (national_last ~ '^[0-9]{4}$'),
  PRIMARY KEY (tenant, holder)
);
CREATE UNIQUE INDEX cardholder_profiles_by_reference ON cardholder_profiles (tenant, reference)
  WHERE reference IS NOT NULL;
CREATE INDEX cardholder_profiles_by_mobile ON cardholder_profiles (tenant, mobile) WHERE mobile IS NOT NULL;
CREATE UNIQUE INDEX cardholder_profiles_by_national ON cardholder_profiles (tenant, national_hash)
  WHERE national_hash IS NOT NULL;

ALTER TABLE cards DROP CONSTRAINT cards_status_check;
ALTER TABLE cards DROP CONSTRAINT cards_last4_check;
ALTER TABLE cards
  ADD COLUMN id bigint,
  ADD COLUMN issued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ADD COLUMN program integer,
  ADD COLUMN replaced_by bigint,
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD COLUMN kind smallint NOT NULL DEFAULT 0 CHECK (kind BETWEEN 0 AND 2),
  ADD CHECK (status BETWEEN 0 AND 4),
  ADD CHECK (last4 ~ '^[0-9A-Z]{4}$');
UPDATE cards SET id = nextval('card_seq');
ALTER TABLE cards ALTER COLUMN id SET DEFAULT nextval('card_seq'), ALTER COLUMN id SET NOT NULL;
-- No index of a table that batches read begins with the tenant, but its primary key: a planner without statistics would
-- take either, and read a whole tenant.
CREATE INDEX cards_by_id ON cards (id);
DROP INDEX cards_by_holder;
CREATE INDEX cards_by_holder ON cards (holder);
COMMENT ON COLUMN cards.status IS '0 active, 1 blocked, 2 inactive, 3 replaced, 4 closed';
COMMENT ON COLUMN cards.kind IS '0 physical, 1 virtual, 2 the code of a voucher';
COMMENT ON COLUMN cards.program IS 'Whose range the number is from';

-- Card numbers for the rare need, under AES-GCM; their key is not in the database.
CREATE TABLE pan_vault (
  token  uuid NOT NULL,
  tenant integer NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant, token)
);

-- `sweep_due`: from when unspent value is to be booked as breakage; NULL: there is none to book.
ALTER TABLE lots
  ADD COLUMN sweep_due timestamptz,
  ADD COLUMN loaded_at timestamptz,
  ADD COLUMN status smallint NOT NULL DEFAULT 0 CHECK (status IN (0, 1));
COMMENT ON COLUMN lots.status IS '0 open, 1 frozen';
CREATE INDEX lots_by_sweep ON lots (tenant, sweep_due) WHERE sweep_due IS NOT NULL;

-- Every change of a lot that is no purchase: written with its decision, which has the postings.
CREATE TABLE lot_movements (
  lot       bigint NOT NULL,
  holder    bigint NOT NULL,
  batch_seq bigint NOT NULL,
  at        timestamptz NOT NULL,
  amount    bigint NOT NULL,
  balance   bigint NOT NULL,
  tenant    integer NOT NULL,
  idx       smallint NOT NULL,
  kind      smallint NOT NULL,
  reason    text,
  reference text,
  actor     text,
  PRIMARY KEY (tenant, holder, lot, batch_seq, idx)
);
COMMENT ON COLUMN lot_movements.kind IS 'The kind of the command, as in decisions';
COMMENT ON COLUMN lot_movements.balance IS 'What was posted on the lot after it';

-- Purchases of one holder. Partitions are a day, so that the part which is written stays small. Without the tenant: it
-- would be a rival of the primary key, and a planner without statistics would take it.
CREATE INDEX transactions_by_holder ON transactions (holder, id);
