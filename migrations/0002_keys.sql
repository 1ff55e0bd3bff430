-- Keys, and what the PIN of a card is checked against. A key is stored only under the key-encryption key, bound to its
-- row by the cipher's associated data; a PIN is stored nowhere.

-- `owner`: `terminal:` and DE41, `listener:` and its name, or `tenant`. `name`: of a DUKPT base key the first digits of
-- the key serial numbers that are its own, of a PIN verification key its index, else empty. `secret` goes when the key
-- is retired; the row stays, so that its check value can be looked up.
CREATE TABLE keys (
  id          bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  made_at     timestamptz NOT NULL,
  changed_at  timestamptz NOT NULL,
  until       timestamptz,
  tenant      integer NOT NULL REFERENCES tenants,
  owner       text NOT NULL CHECK (owner ~ '^(tenant|(terminal|listener|host):[!-~]{1,40})$'),
  usage       text NOT NULL CHECK (usage IN ('master', 'mac', 'pin', 'dukpt', 'pvv', 'ibm3624')),
  name        text NOT NULL DEFAULT '' CHECK (name ~ '^[0-9A-F]{0,24}$'),
  algorithm   text NOT NULL CHECK (algorithm IN ('tdes', 'aes')),
  status      text NOT NULL CHECK (status IN ('active', 'retiring', 'retired')),
  check_value bytea NOT NULL CHECK (length(check_value) BETWEEN 3 AND 5),
  secret      bytea,
  settings    json,
  PRIMARY KEY (tenant, id),
  CHECK ((status = 'retired') = (secret IS NULL)),
  CHECK ((status = 'retiring') = (until IS NOT NULL))
);
COMMENT ON COLUMN keys.until IS 'A retiring key is still taken up to here';
COMMENT ON COLUMN keys.settings IS 'Of an IBM 3624 key: decimalisation table and validation data';
CREATE UNIQUE INDEX keys_active ON keys (tenant, owner, usage, name) WHERE status = 'active';
-- The switches read what has changed since they last looked.
CREATE INDEX keys_by_change ON keys (changed_at);

-- The highest DUKPT counter of each device, and the request that brought it, which may come again.
CREATE TABLE dukpt_devices (
  counter bigint NOT NULL,
  request uuid NOT NULL,
  tenant  integer NOT NULL,
  device  text NOT NULL CHECK (device ~ '^[0-9A-F]{16,20}$'),
  PRIMARY KEY (tenant, device)
) WITH (fillfactor = 70);
COMMENT ON COLUMN dukpt_devices.device IS
  'The key serial number with its counter as zeros (triple DES) or left out (AES)';

-- What a PIN is checked against: a Visa PVV, or an IBM 3624 offset. Neither tells the PIN without its key.
CREATE TABLE card_pins (
  token    uuid NOT NULL,
  tenant   integer NOT NULL,
  method   text NOT NULL CHECK (method IN ('pvv', 'ibm3624')),
  key_name text NOT NULL,
  value    text NOT NULL CHECK (value ~ '^[0-9]{4,12}$'),
  PRIMARY KEY (tenant, token)
);

-- Wrong PINs in a row. It is changed under the lock of the holder, in the batch of the decision.
ALTER TABLE cards ADD COLUMN pin_tries smallint NOT NULL DEFAULT 0 CHECK (pin_tries >= 0);
