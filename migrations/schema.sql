-- The schema after all migrations. Made by `charsu migrate --dump`; do not edit.

CREATE SEQUENCE batch_seq AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 1 CACHE 1;

CREATE SEQUENCE catalog_account_seq AS bigint INCREMENT -1 MINVALUE -9007199254740991 MAXVALUE -1 START -1 CACHE 1;

CREATE SEQUENCE lot_seq AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 1 CACHE 1;

CREATE SEQUENCE transaction_seq AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 1 CACHE 1;

CREATE TABLE accounts (
  tenant integer NOT NULL,
  id bigint NOT NULL,
  kind text NOT NULL,
  asset smallint NOT NULL,
  code text NOT NULL,
  CONSTRAINT accounts_id_check CHECK ((id < 0)),
  CONSTRAINT accounts_kind_check CHECK ((kind = ANY (ARRAY['payable'::text, 'funding'::text, 'clearing'::text]))),
  CONSTRAINT accounts_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT accounts_tenant_asset_fkey FOREIGN KEY (tenant, asset) REFERENCES assets(tenant, id),
  CONSTRAINT accounts_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id),
  CONSTRAINT accounts_tenant_kind_code_key UNIQUE (tenant, kind, code)
);

CREATE TABLE api_keys (
  id integer NOT NULL,
  tenant integer NOT NULL,
  hash bytea NOT NULL,
  label text NOT NULL,
  scopes text[] NOT NULL,
  merchants text[] NOT NULL,
  demo boolean NOT NULL DEFAULT false,
  CONSTRAINT api_keys_hash_check CHECK ((length(hash) = 32)),
  CONSTRAINT api_keys_hash_key UNIQUE (hash),
  CONSTRAINT api_keys_id_check CHECK (((id >= 1) AND (id <= 1073741823))),
  CONSTRAINT api_keys_pkey PRIMARY KEY (id),
  CONSTRAINT api_keys_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id)
);

CREATE TABLE assets (
  tenant integer NOT NULL,
  id smallint NOT NULL,
  code text NOT NULL,
  "numeric" text,
  scale smallint NOT NULL,
  CONSTRAINT assets_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT assets_scale_check CHECK (((scale >= 0) AND (scale <= 8))),
  CONSTRAINT assets_tenant_code_key UNIQUE (tenant, code),
  CONSTRAINT assets_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE batches (
  seq bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  "position" bigint NOT NULL,
  run uuid NOT NULL,
  tenant integer NOT NULL,
  decisions integer NOT NULL,
  hash bytea NOT NULL,
  CONSTRAINT batches_pkey PRIMARY KEY (tenant, seq)
);

CREATE TABLE card_pins (
  token uuid NOT NULL,
  tenant integer NOT NULL,
  method text NOT NULL,
  key_name text NOT NULL,
  value text NOT NULL,
  CONSTRAINT card_pins_method_check CHECK ((method = ANY (ARRAY['pvv'::text, 'ibm3624'::text]))),
  CONSTRAINT card_pins_pkey PRIMARY KEY (tenant, token),
  CONSTRAINT card_pins_value_check CHECK ((value ~ '^[0-9]{4,12}$'::text))
);

CREATE TABLE cardholders (
  id bigint NOT NULL,
  tenant integer NOT NULL,
  CONSTRAINT cardholders_pkey PRIMARY KEY (tenant, id)
) WITH (fillfactor=80);

CREATE TABLE cards (
  token uuid NOT NULL,
  holder bigint NOT NULL,
  expires_at timestamp with time zone,
  tenant integer NOT NULL,
  status smallint NOT NULL DEFAULT 0,
  last4 text NOT NULL,
  pin_tries smallint NOT NULL DEFAULT 0,
  CONSTRAINT cards_last4_check CHECK ((last4 ~ '^[0-9]{4}$'::text)),
  CONSTRAINT cards_pin_tries_check CHECK ((pin_tries >= 0)),
  CONSTRAINT cards_pkey PRIMARY KEY (tenant, token),
  CONSTRAINT cards_status_check CHECK ((status = ANY (ARRAY[0, 1])))
);

CREATE TABLE decisions (
  key uuid NOT NULL,
  txn bigint,
  batch_seq bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  requested bigint,
  authorized bigint,
  confirmed bigint,
  reversed bigint,
  refunded bigint,
  tenant integer NOT NULL,
  day integer NOT NULL,
  idx smallint NOT NULL,
  kind smallint NOT NULL,
  reason smallint NOT NULL,
  phase smallint,
  render smallint NOT NULL,
  content bytea NOT NULL,
  legs bigint[],
  balances json,
  CONSTRAINT decisions_pkey PRIMARY KEY (tenant, day, key)
) PARTITION BY RANGE (day);

CREATE TABLE decisions_other (
  key uuid NOT NULL,
  txn bigint,
  batch_seq bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  requested bigint,
  authorized bigint,
  confirmed bigint,
  reversed bigint,
  refunded bigint,
  tenant integer NOT NULL,
  day integer NOT NULL,
  idx smallint NOT NULL,
  kind smallint NOT NULL,
  reason smallint NOT NULL,
  phase smallint,
  render smallint NOT NULL,
  content bytea NOT NULL,
  legs bigint[],
  balances json,
  CONSTRAINT decisions_other_pkey PRIMARY KEY (tenant, day, key)
);

CREATE TABLE dukpt_devices (
  counter bigint NOT NULL,
  request uuid NOT NULL,
  tenant integer NOT NULL,
  device text NOT NULL,
  CONSTRAINT dukpt_devices_device_check CHECK ((device ~ '^[0-9A-F]{16,20}$'::text)),
  CONSTRAINT dukpt_devices_pkey PRIMARY KEY (tenant, device)
) WITH (fillfactor=70);

CREATE TABLE hold_deadlines (
  due timestamp with time zone NOT NULL,
  batch_seq bigint NOT NULL,
  tenant integer NOT NULL,
  txns bigint[] NOT NULL,
  CONSTRAINT hold_deadlines_pkey PRIMARY KEY (tenant, due, batch_seq)
);

CREATE TABLE keys (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  made_at timestamp with time zone NOT NULL,
  changed_at timestamp with time zone NOT NULL,
  until timestamp with time zone,
  tenant integer NOT NULL,
  owner text NOT NULL,
  usage text NOT NULL,
  name text NOT NULL DEFAULT ''::text,
  algorithm text NOT NULL,
  status text NOT NULL,
  check_value bytea NOT NULL,
  secret bytea,
  settings json,
  CONSTRAINT keys_algorithm_check CHECK ((algorithm = ANY (ARRAY['tdes'::text, 'aes'::text]))),
  CONSTRAINT keys_check CHECK (((status = 'retired'::text) = (secret IS NULL))),
  CONSTRAINT keys_check1 CHECK (((status = 'retiring'::text) = (until IS NOT NULL))),
  CONSTRAINT keys_check_value_check CHECK (((length(check_value) >= 3) AND (length(check_value) <= 5))),
  CONSTRAINT keys_name_check CHECK ((name ~ '^[0-9A-F]{0,24}$'::text)),
  CONSTRAINT keys_owner_check CHECK ((owner ~ '^(tenant|(terminal|listener|host):[!-~]{1,40})$'::text)),
  CONSTRAINT keys_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT keys_status_check CHECK ((status = ANY (ARRAY['active'::text, 'retiring'::text, 'retired'::text]))),
  CONSTRAINT keys_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id),
  CONSTRAINT keys_usage_check CHECK ((usage = ANY (ARRAY['master'::text, 'mac'::text, 'pin'::text, 'dukpt'::text, 'pvv'::text, 'ibm3624'::text])))
);

CREATE TABLE lots (
  holder bigint NOT NULL,
  lot bigint NOT NULL,
  debits_pending bigint NOT NULL DEFAULT 0,
  debits_posted bigint NOT NULL DEFAULT 0,
  credits_pending bigint NOT NULL DEFAULT 0,
  credits_posted bigint NOT NULL DEFAULT 0,
  credit_limit bigint NOT NULL DEFAULT 0,
  expires_at timestamp with time zone,
  tenant integer NOT NULL,
  program integer NOT NULL,
  funder integer NOT NULL,
  asset smallint NOT NULL,
  CONSTRAINT lot_within_limit CHECK (((credits_posted + credit_limit) >= (debits_posted + debits_pending))),
  CONSTRAINT lots_credit_limit_check CHECK ((credit_limit >= 0)),
  CONSTRAINT lots_credits_pending_check CHECK ((credits_pending >= 0)),
  CONSTRAINT lots_credits_posted_check CHECK ((credits_posted >= 0)),
  CONSTRAINT lots_debits_pending_check CHECK ((debits_pending >= 0)),
  CONSTRAINT lots_debits_posted_check CHECK ((debits_posted >= 0)),
  CONSTRAINT lots_lot_check CHECK ((lot > 0)),
  CONSTRAINT lots_pkey PRIMARY KEY (tenant, holder, lot)
) WITH (fillfactor=60);

CREATE TABLE merchants (
  tenant integer NOT NULL,
  id integer NOT NULL,
  code text NOT NULL,
  name text NOT NULL,
  category text,
  payable bigint NOT NULL,
  CONSTRAINT merchants_code_check CHECK (((length(code) >= 1) AND (length(code) <= 15))),
  CONSTRAINT merchants_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT merchants_tenant_code_key UNIQUE (tenant, code),
  CONSTRAINT merchants_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id),
  CONSTRAINT merchants_tenant_payable_fkey FOREIGN KEY (tenant, payable) REFERENCES accounts(tenant, id)
);

CREATE TABLE migrations (
  name text NOT NULL,
  at timestamp with time zone NOT NULL,
  CONSTRAINT migrations_pkey PRIMARY KEY (name)
);

CREATE TABLE organisations (
  tenant integer NOT NULL,
  id integer NOT NULL,
  code text NOT NULL,
  name text NOT NULL,
  account bigint NOT NULL,
  CONSTRAINT organisations_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT organisations_tenant_account_fkey FOREIGN KEY (tenant, account) REFERENCES accounts(tenant, id),
  CONSTRAINT organisations_tenant_code_key UNIQUE (tenant, code),
  CONSTRAINT organisations_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id)
);

CREATE TABLE programs (
  tenant integer NOT NULL,
  id integer NOT NULL,
  code text NOT NULL,
  kind text NOT NULL,
  asset smallint NOT NULL,
  priority integer NOT NULL DEFAULT 0,
  confirm_within_seconds integer,
  CONSTRAINT programs_confirm_within_seconds_check CHECK (((confirm_within_seconds >= 1) AND (confirm_within_seconds <= 2678400))),
  CONSTRAINT programs_kind_check CHECK ((kind = ANY (ARRAY['credit'::text, 'welfare'::text, 'gift'::text, 'voucher'::text]))),
  CONSTRAINT programs_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT programs_tenant_asset_fkey FOREIGN KEY (tenant, asset) REFERENCES assets(tenant, id),
  CONSTRAINT programs_tenant_code_key UNIQUE (tenant, code),
  CONSTRAINT programs_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id)
);

CREATE TABLE remembered_reversals (
  at timestamp with time zone NOT NULL,
  tenant integer NOT NULL,
  merchant integer NOT NULL,
  reference text NOT NULL,
  CONSTRAINT remembered_reversals_pkey PRIMARY KEY (tenant, merchant, reference)
);

CREATE TABLE secret_checks (
  name text NOT NULL,
  value text NOT NULL,
  CONSTRAINT secret_checks_pkey PRIMARY KEY (name)
);

CREATE TABLE settlement_lines (
  tenant integer NOT NULL,
  settlement bigint NOT NULL,
  txn bigint NOT NULL,
  kind smallint NOT NULL,
  amount bigint NOT NULL,
  CONSTRAINT settlement_lines_pkey PRIMARY KEY (tenant, settlement, txn),
  CONSTRAINT settlement_lines_tenant_settlement_fkey FOREIGN KEY (tenant, settlement) REFERENCES settlements(tenant, id)
);

CREATE TABLE settlement_requests (
  at timestamp with time zone NOT NULL,
  key uuid NOT NULL,
  tenant integer NOT NULL,
  content bytea NOT NULL,
  CONSTRAINT settlement_requests_pkey PRIMARY KEY (tenant, key),
  CONSTRAINT settlement_requests_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id)
);

CREATE TABLE settlements (
  tenant integer NOT NULL,
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  merchant integer NOT NULL,
  number integer NOT NULL,
  after_batch bigint NOT NULL,
  up_to_batch bigint NOT NULL,
  business_date integer NOT NULL,
  closed_at timestamp with time zone NOT NULL,
  posted_at timestamp with time zone,
  purchases bigint NOT NULL DEFAULT 0,
  purchase_count integer NOT NULL DEFAULT 0,
  refunds bigint NOT NULL DEFAULT 0,
  refund_count integer NOT NULL DEFAULT 0,
  net bigint NOT NULL DEFAULT 0,
  request uuid NOT NULL,
  CONSTRAINT settlements_check CHECK ((after_batch < up_to_batch)),
  CONSTRAINT settlements_check1 CHECK ((net = (purchases - refunds))),
  CONSTRAINT settlements_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT settlements_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id),
  CONSTRAINT settlements_tenant_merchant_fkey FOREIGN KEY (tenant, merchant) REFERENCES merchants(tenant, id),
  CONSTRAINT settlements_tenant_merchant_number_key UNIQUE (tenant, merchant, number),
  CONSTRAINT settlements_tenant_request_fkey FOREIGN KEY (tenant, request) REFERENCES settlement_requests(tenant, key)
);

CREATE TABLE tenants (
  id integer NOT NULL,
  code text NOT NULL,
  name text NOT NULL,
  currency smallint NOT NULL,
  time_zone text NOT NULL,
  cut_over_seconds integer NOT NULL DEFAULT 0,
  clearing_account bigint NOT NULL,
  demo boolean NOT NULL DEFAULT false,
  catalog_version bigint NOT NULL DEFAULT 1,
  CONSTRAINT tenants_code_key UNIQUE (code),
  CONSTRAINT tenants_cut_over_seconds_check CHECK (((cut_over_seconds >= 0) AND (cut_over_seconds <= 86399))),
  CONSTRAINT tenants_pkey PRIMARY KEY (id)
);

CREATE TABLE terminals (
  tenant integer NOT NULL,
  id integer NOT NULL,
  code text NOT NULL,
  merchant integer NOT NULL,
  channel text NOT NULL DEFAULT 'pos'::text,
  confirmation text NOT NULL DEFAULT 'explicit'::text,
  partial boolean NOT NULL DEFAULT false,
  confirm_within_seconds integer,
  CONSTRAINT terminals_channel_check CHECK ((channel = ANY (ARRAY['pos'::text, 'web'::text, 'app'::text]))),
  CONSTRAINT terminals_code_check CHECK (((length(code) >= 1) AND (length(code) <= 8))),
  CONSTRAINT terminals_confirm_within_seconds_check CHECK (((confirm_within_seconds >= 1) AND (confirm_within_seconds <= 2678400))),
  CONSTRAINT terminals_confirmation_check CHECK ((confirmation = ANY (ARRAY['explicit'::text, 'implicit'::text]))),
  CONSTRAINT terminals_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT terminals_tenant_code_key UNIQUE (tenant, code),
  CONSTRAINT terminals_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id),
  CONSTRAINT terminals_tenant_merchant_fkey FOREIGN KEY (tenant, merchant) REFERENCES merchants(tenant, id)
);

CREATE TABLE transactions (
  id bigint NOT NULL,
  holder bigint,
  requested bigint NOT NULL,
  authorized bigint NOT NULL,
  confirmed bigint NOT NULL,
  reversed bigint NOT NULL,
  refunded bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  confirmed_in bigint,
  original bigint,
  card uuid NOT NULL,
  tenant integer NOT NULL,
  day integer NOT NULL,
  merchant integer,
  terminal integer,
  business_date integer NOT NULL,
  stan integer,
  asset smallint NOT NULL,
  version smallint NOT NULL,
  phase smallint NOT NULL,
  reason smallint NOT NULL,
  kind smallint NOT NULL,
  rrn text,
  reference text,
  legs bigint[],
  CONSTRAINT transactions_pkey PRIMARY KEY (tenant, day, id)
) PARTITION BY RANGE (day);

CREATE TABLE transactions_other (
  id bigint NOT NULL,
  holder bigint,
  requested bigint NOT NULL,
  authorized bigint NOT NULL,
  confirmed bigint NOT NULL,
  reversed bigint NOT NULL,
  refunded bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  confirmed_in bigint,
  original bigint,
  card uuid NOT NULL,
  tenant integer NOT NULL,
  day integer NOT NULL,
  merchant integer,
  terminal integer,
  business_date integer NOT NULL,
  stan integer,
  asset smallint NOT NULL,
  version smallint NOT NULL,
  phase smallint NOT NULL,
  reason smallint NOT NULL,
  kind smallint NOT NULL,
  rrn text,
  reference text,
  legs bigint[],
  CONSTRAINT transactions_other_pkey PRIMARY KEY (tenant, day, id)
) WITH (fillfactor=50);

CREATE INDEX cards_by_holder ON public.cards USING btree (tenant, holder);

CREATE INDEX decisions_by_batch ON ONLY public.decisions USING brin (batch_seq) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX decisions_other_batch_seq_idx ON public.decisions_other USING brin (batch_seq) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX keys_by_change ON public.keys USING btree (changed_at);

CREATE INDEX settlements_by_request ON public.settlements USING btree (tenant, request);

CREATE INDEX settlements_by_watermark ON public.settlements USING btree (tenant, merchant, up_to_batch);

CREATE INDEX transactions_by_reference ON ONLY public.transactions USING btree (tenant, merchant, reference) WHERE (reference IS NOT NULL);

CREATE INDEX transactions_by_rrn ON ONLY public.transactions USING btree (tenant, merchant, rrn) WHERE (rrn IS NOT NULL);

CREATE INDEX transactions_other_tenant_merchant_reference_idx ON public.transactions_other USING btree (tenant, merchant, reference) WHERE (reference IS NOT NULL);

CREATE INDEX transactions_other_tenant_merchant_rrn_idx ON public.transactions_other USING btree (tenant, merchant, rrn) WHERE (rrn IS NOT NULL);

CREATE UNIQUE INDEX keys_active ON public.keys USING btree (tenant, owner, usage, name) WHERE (status = 'active'::text);

CREATE VIEW postings AS
 SELECT d.tenant,
    d.batch_seq,
    d.idx,
    d.at,
    d.kind,
    d.txn,
    leg.leg,
    d.legs[leg.leg * 5 + 1] AS debit,
    d.legs[leg.leg * 5 + 2] AS credit,
    d.legs[leg.leg * 5 + 3] AS pending,
    d.legs[leg.leg * 5 + 4] AS posted
   FROM decisions d
     CROSS JOIN LATERAL generate_series(0, cardinality(d.legs) / 5 - 1) leg(leg);

CREATE OR REPLACE FUNCTION public.expect_rows(actual bigint, expected bigint, what text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF actual <> expected THEN
    RAISE EXCEPTION '%: % rows instead of %', what, actual, expected USING ERRCODE = 'CH001';
  END IF;
END $function$
;

CREATE OR REPLACE PROCEDURE public.make_day_partitions(IN first integer, IN last integer)
 LANGUAGE plpgsql
AS $procedure$
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
END $procedure$
;

COMMENT ON COLUMN cards.status IS '0 active, 1 blocked';

COMMENT ON COLUMN decisions.content IS 'Fingerprint of the request; empty: refuses whatever comes under this key';

COMMENT ON COLUMN decisions.day IS 'Days since 1970-01-01: of the time in the key (DE7), or on which it was first seen';

COMMENT ON COLUMN decisions.render IS 'Version of the rendering of the answer';

COMMENT ON COLUMN dukpt_devices.device IS 'The key serial number with its counter as zeros (triple DES) or left out (AES)';

COMMENT ON COLUMN keys.settings IS 'Of an IBM 3624 key: decimalisation table and validation data';

COMMENT ON COLUMN keys.until IS 'A retiring key is still taken up to here';

COMMENT ON COLUMN transactions.business_date IS 'Days since 1970-01-01, in the tenant''s zone and after its cut-over';

COMMENT ON COLUMN transactions.day IS 'Days since 1970-01-01, UTC, as in the id';

COMMENT ON COLUMN transactions.legs IS 'lot, program, funder, held, posted for each';
