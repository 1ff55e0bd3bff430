-- The schema after all migrations. Made by `charsu migrate --dump`; do not edit.

CREATE SEQUENCE batch_seq AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 1 CACHE 1;

CREATE SEQUENCE card_seq AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 1 CACHE 1;

CREATE SEQUENCE catalog_account_seq AS bigint INCREMENT -1 MINVALUE -9007199254740991 MAXVALUE -1 START -1 CACHE 1;

CREATE SEQUENCE holder_seq AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 1 CACHE 1;

CREATE SEQUENCE load_list_seq AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 1 CACHE 1;

CREATE SEQUENCE load_schedule_seq AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 1 CACHE 1;

CREATE SEQUENCE lot_seq AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 1 CACHE 1;

CREATE SEQUENCE transaction_seq AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 1 CACHE 1;

CREATE SEQUENCE voucher_series_seq AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 1 CACHE 1;

CREATE TABLE accounts (
  tenant integer NOT NULL,
  id bigint NOT NULL,
  kind text NOT NULL,
  asset smallint NOT NULL,
  code text NOT NULL,
  CONSTRAINT accounts_id_check CHECK ((id < 0)),
  CONSTRAINT accounts_kind_check CHECK ((kind = ANY (ARRAY['payable'::text, 'funding'::text, 'clearing'::text, 'breakage'::text, 'fees'::text]))),
  CONSTRAINT accounts_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT accounts_tenant_asset_fkey FOREIGN KEY (tenant, asset) REFERENCES assets(tenant, id),
  CONSTRAINT accounts_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id),
  CONSTRAINT accounts_tenant_kind_code_key UNIQUE (tenant, kind, code)
);

CREATE TABLE admin_requests (
  made_at timestamp with time zone NOT NULL,
  key uuid NOT NULL,
  tenant integer NOT NULL,
  version integer,
  status smallint NOT NULL,
  content text NOT NULL,
  body text NOT NULL,
  CONSTRAINT admin_requests_pkey PRIMARY KEY (tenant, key)
);

CREATE TABLE api_keys (
  id integer NOT NULL,
  tenant integer NOT NULL,
  hash bytea NOT NULL,
  label text NOT NULL,
  scopes text[] NOT NULL,
  merchants text[] NOT NULL,
  demo boolean NOT NULL DEFAULT false,
  role text,
  organisation integer,
  made_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  disabled_at timestamp with time zone,
  version integer NOT NULL DEFAULT 1,
  made_by integer,
  CONSTRAINT api_keys_hash_check CHECK ((length(hash) = 32)),
  CONSTRAINT api_keys_hash_key UNIQUE (hash),
  CONSTRAINT api_keys_id_check CHECK (((id >= 1) AND (id <= 1073741823))),
  CONSTRAINT api_keys_pkey PRIMARY KEY (id),
  CONSTRAINT api_keys_role_check CHECK ((role = ANY (ARRAY['operator'::text, 'finance'::text, 'merchant'::text, 'organisation'::text, 'auditor'::text]))),
  CONSTRAINT api_keys_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id),
  CONSTRAINT api_keys_tenant_organisation_fkey FOREIGN KEY (tenant, organisation) REFERENCES organisations(tenant, id)
);

CREATE TABLE approvals (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  made_at timestamp with time zone NOT NULL,
  decided_at timestamp with time zone,
  key uuid NOT NULL,
  tenant integer NOT NULL,
  made_by integer NOT NULL,
  decided_by integer,
  kind text NOT NULL,
  status text NOT NULL DEFAULT 'waiting'::text,
  made_label text NOT NULL,
  decided_label text,
  content text NOT NULL,
  note text,
  request json NOT NULL,
  answer json,
  CONSTRAINT approvals_check CHECK (((status = 'waiting'::text) = (decided_by IS NULL))),
  CONSTRAINT approvals_check1 CHECK ((decided_by <> made_by)),
  CONSTRAINT approvals_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT approvals_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'approved'::text, 'rejected'::text]))),
  CONSTRAINT approvals_tenant_key_key UNIQUE (tenant, key)
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

CREATE TABLE audit_log (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  at timestamp with time zone NOT NULL,
  key uuid,
  tenant integer NOT NULL,
  api_key integer NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  entity text NOT NULL,
  entity_id text NOT NULL,
  before json,
  after json,
  CONSTRAINT audit_log_pkey PRIMARY KEY (tenant, id)
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

CREATE TABLE cardholder_profiles (
  holder bigint NOT NULL,
  made_at timestamp with time zone NOT NULL,
  tenant integer NOT NULL,
  version integer NOT NULL DEFAULT 1,
  reference text,
  name text,
  mobile text,
  national_hash bytea,
  national_last text,
  CONSTRAINT cardholder_profiles_national_hash_check CHECK ((length(national_hash) = 32)),
  CONSTRAINT cardholder_profiles_national_last_check CHECK ((national_last ~ '^[0-9]{4}$'::text)),
  CONSTRAINT cardholder_profiles_pkey PRIMARY KEY (tenant, holder)
);

CREATE TABLE cardholders (
  id bigint NOT NULL,
  tenant integer NOT NULL,
  usage bigint[],
  CONSTRAINT cardholders_pkey PRIMARY KEY (tenant, id)
) WITH (fillfactor=50);

CREATE TABLE cards (
  token uuid NOT NULL,
  holder bigint NOT NULL,
  expires_at timestamp with time zone,
  tenant integer NOT NULL,
  status smallint NOT NULL DEFAULT 0,
  last4 text NOT NULL,
  pin_tries smallint NOT NULL DEFAULT 0,
  id bigint NOT NULL DEFAULT nextval('card_seq'::regclass),
  issued_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  program integer,
  replaced_by bigint,
  version integer NOT NULL DEFAULT 1,
  kind smallint NOT NULL DEFAULT 0,
  status_reason text,
  CONSTRAINT cards_kind_check CHECK (((kind >= 0) AND (kind <= 2))),
  CONSTRAINT cards_last4_check CHECK ((last4 ~ '^[0-9A-Z]{4}$'::text)),
  CONSTRAINT cards_pin_tries_check CHECK ((pin_tries >= 0)),
  CONSTRAINT cards_pkey PRIMARY KEY (tenant, token),
  CONSTRAINT cards_status_check CHECK (((status >= 0) AND (status <= 4)))
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

CREATE TABLE gift_activations (
  card bigint NOT NULL,
  key uuid NOT NULL,
  tenant integer NOT NULL,
  CONSTRAINT gift_activations_pkey PRIMARY KEY (tenant, card)
);

CREATE TABLE hold_deadlines (
  due timestamp with time zone NOT NULL,
  batch_seq bigint NOT NULL,
  tenant integer NOT NULL,
  txns bigint[] NOT NULL,
  CONSTRAINT hold_deadlines_pkey PRIMARY KEY (tenant, due, batch_seq)
);

CREATE TABLE holidays (
  tenant integer NOT NULL,
  day integer NOT NULL,
  name text NOT NULL,
  CONSTRAINT holidays_pkey PRIMARY KEY (tenant, day),
  CONSTRAINT holidays_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id)
);

CREATE TABLE imports (
  started_at timestamp with time zone NOT NULL,
  changed_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  lines bigint NOT NULL DEFAULT 0,
  rejects_bytes bigint NOT NULL DEFAULT 0,
  tenant integer NOT NULL,
  id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  file_name text NOT NULL,
  file_hash bytea NOT NULL,
  settings text NOT NULL,
  report json NOT NULL,
  CONSTRAINT imports_file_hash_check CHECK ((length(file_hash) = 32)),
  CONSTRAINT imports_kind_check CHECK ((kind = ANY (ARRAY['cardholders'::text, 'cards'::text, 'merchants'::text, 'terminals'::text]))),
  CONSTRAINT imports_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT imports_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id)
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

CREATE TABLE load_lines (
  list bigint NOT NULL,
  holder bigint,
  amount bigint,
  lot bigint,
  expires_at timestamp with time zone,
  tenant integer NOT NULL,
  line integer NOT NULL,
  program integer,
  funder integer,
  state smallint NOT NULL,
  by smallint,
  is_fixed boolean NOT NULL DEFAULT false,
  field text,
  reason text,
  shown text,
  key bytea,
  CONSTRAINT load_lines_by_check CHECK (((by >= 0) AND (by <= 4))),
  CONSTRAINT load_lines_pkey PRIMARY KEY (tenant, list, line),
  CONSTRAINT load_lines_state_check CHECK (((state >= 0) AND (state <= 2)))
);

CREATE TABLE load_lists (
  id bigint NOT NULL,
  made_at timestamp with time zone NOT NULL,
  checked_at timestamp with time zone,
  run_at timestamp with time zone,
  resumed_at timestamp with time zone,
  finished_at timestamp with time zone,
  leased_until timestamp with time zone,
  expires_at timestamp with time zone,
  total bigint NOT NULL DEFAULT 0,
  loaded_total bigint NOT NULL DEFAULT 0,
  schedule bigint,
  series bigint,
  tenant integer NOT NULL,
  version integer NOT NULL DEFAULT 1,
  program integer,
  funder integer,
  only_funder integer,
  period integer,
  run_day integer,
  lines integer NOT NULL DEFAULT 0,
  accepted integer NOT NULL DEFAULT 0,
  rejected integer NOT NULL DEFAULT 0,
  done integer NOT NULL DEFAULT 0,
  loaded integer NOT NULL DEFAULT 0,
  resumed_done integer NOT NULL DEFAULT 0,
  made_by integer NOT NULL,
  size integer NOT NULL DEFAULT 0,
  kind text NOT NULL,
  source text NOT NULL,
  state text NOT NULL,
  actor text NOT NULL,
  name text,
  reason text,
  reference text,
  ignored text[] NOT NULL DEFAULT '{}'::text[],
  hash bytea,
  CONSTRAINT load_lists_check CHECK (((state = ANY (ARRAY['running'::text, 'done'::text])) = (run_day IS NOT NULL))),
  CONSTRAINT load_lists_hash_check CHECK ((length(hash) = 32)),
  CONSTRAINT load_lists_kind_check CHECK ((kind = ANY (ARRAY['load'::text, 'clawback'::text]))),
  CONSTRAINT load_lists_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT load_lists_source_check CHECK ((source = ANY (ARRAY['file'::text, 'schedule'::text, 'vouchers'::text, 'request'::text]))),
  CONSTRAINT load_lists_state_check CHECK ((state = ANY (ARRAY['checked'::text, 'running'::text, 'done'::text, 'cancelled'::text])))
);

CREATE TABLE load_schedule_members (
  schedule bigint NOT NULL,
  holder bigint NOT NULL,
  amount bigint,
  tenant integer NOT NULL,
  CONSTRAINT load_schedule_members_amount_check CHECK ((amount > 0)),
  CONSTRAINT load_schedule_members_pkey PRIMARY KEY (tenant, schedule, holder),
  CONSTRAINT load_schedule_members_tenant_schedule_fkey FOREIGN KEY (tenant, schedule) REFERENCES load_schedules(tenant, id)
);

CREATE TABLE load_schedules (
  id bigint NOT NULL,
  made_at timestamp with time zone NOT NULL,
  due_at timestamp with time zone NOT NULL,
  amount bigint NOT NULL,
  tenant integer NOT NULL,
  version integer NOT NULL DEFAULT 1,
  program integer NOT NULL,
  funder integer NOT NULL,
  next_day integer NOT NULL,
  made_by integer NOT NULL,
  day_of_month smallint NOT NULL,
  minute smallint NOT NULL,
  status text NOT NULL DEFAULT 'active'::text,
  calendar text NOT NULL,
  holders text NOT NULL,
  catch_up text NOT NULL DEFAULT 'all'::text,
  actor text NOT NULL,
  name text NOT NULL,
  reason text,
  CONSTRAINT load_schedules_amount_check CHECK ((amount > 0)),
  CONSTRAINT load_schedules_calendar_check CHECK ((calendar = ANY (ARRAY['gregorian'::text, 'persian'::text]))),
  CONSTRAINT load_schedules_catch_up_check CHECK ((catch_up = ANY (ARRAY['all'::text, 'latest'::text]))),
  CONSTRAINT load_schedules_day_of_month_check CHECK (((day_of_month >= 1) AND (day_of_month <= 31))),
  CONSTRAINT load_schedules_holders_check CHECK ((holders = ANY (ARRAY['program'::text, 'list'::text]))),
  CONSTRAINT load_schedules_minute_check CHECK (((minute >= 0) AND (minute <= 1439))),
  CONSTRAINT load_schedules_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT load_schedules_status_check CHECK ((status = ANY (ARRAY['active'::text, 'paused'::text, 'ended'::text]))),
  CONSTRAINT load_schedules_tenant_funder_fkey FOREIGN KEY (tenant, funder) REFERENCES organisations(tenant, id),
  CONSTRAINT load_schedules_tenant_program_fkey FOREIGN KEY (tenant, program) REFERENCES programs(tenant, id)
);

CREATE TABLE lot_movements (
  lot bigint NOT NULL,
  holder bigint NOT NULL,
  batch_seq bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  amount bigint NOT NULL,
  balance bigint NOT NULL,
  tenant integer NOT NULL,
  idx smallint NOT NULL,
  kind smallint NOT NULL,
  reason text,
  reference text,
  actor text,
  CONSTRAINT lot_movements_pkey PRIMARY KEY (tenant, holder, lot, batch_seq, idx)
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
  sweep_due timestamp with time zone,
  loaded_at timestamp with time zone,
  status smallint NOT NULL DEFAULT 0,
  spare bytea DEFAULT decode(repeat('00'::text, 71), 'hex'::text),
  CONSTRAINT lot_within_limit CHECK (((credits_posted + credit_limit) >= (debits_posted + debits_pending))),
  CONSTRAINT lots_credit_limit_check CHECK ((credit_limit >= 0)),
  CONSTRAINT lots_credits_pending_check CHECK ((credits_pending >= 0)),
  CONSTRAINT lots_credits_posted_check CHECK ((credits_posted >= 0)),
  CONSTRAINT lots_debits_pending_check CHECK ((debits_pending >= 0)),
  CONSTRAINT lots_debits_posted_check CHECK ((debits_posted >= 0)),
  CONSTRAINT lots_lot_check CHECK ((lot > 0)),
  CONSTRAINT lots_pkey PRIMARY KEY (tenant, holder, lot),
  CONSTRAINT lots_status_check CHECK ((status = ANY (ARRAY[0, 1])))
) WITH (fillfactor=90);

CREATE TABLE merchants (
  tenant integer NOT NULL,
  id integer NOT NULL,
  code text NOT NULL,
  name text NOT NULL,
  category text,
  payable bigint NOT NULL,
  groups text[] NOT NULL DEFAULT '{}'::text[],
  settlement_account text,
  fee_millionths integer NOT NULL DEFAULT 0,
  fee_each bigint NOT NULL DEFAULT 0,
  status text NOT NULL DEFAULT 'active'::text,
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT merchants_code_check CHECK (((length(code) >= 1) AND (length(code) <= 15))),
  CONSTRAINT merchants_fee_each_check CHECK ((fee_each >= 0)),
  CONSTRAINT merchants_fee_millionths_check CHECK (((fee_millionths >= 0) AND (fee_millionths <= 1000000))),
  CONSTRAINT merchants_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT merchants_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text]))),
  CONSTRAINT merchants_tenant_code_key UNIQUE (tenant, code),
  CONSTRAINT merchants_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id),
  CONSTRAINT merchants_tenant_payable_fkey FOREIGN KEY (tenant, payable) REFERENCES accounts(tenant, id)
);

CREATE TABLE migrations (
  name text NOT NULL,
  at timestamp with time zone NOT NULL,
  CONSTRAINT migrations_pkey PRIMARY KEY (name)
);

CREATE TABLE organisation_counters (
  balance bigint NOT NULL DEFAULT 0,
  tenant integer NOT NULL,
  organisation integer NOT NULL,
  usage bigint[],
  CONSTRAINT organisation_counters_pkey PRIMARY KEY (tenant, organisation)
) WITH (fillfactor=20);

CREATE TABLE organisation_movements (
  batch_seq bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  amount bigint NOT NULL,
  balance bigint,
  tenant integer NOT NULL,
  organisation integer NOT NULL,
  idx smallint NOT NULL,
  reason text,
  reference text,
  actor text,
  CONSTRAINT organisation_movements_pkey PRIMARY KEY (tenant, organisation, batch_seq, idx)
);

CREATE TABLE organisations (
  tenant integer NOT NULL,
  id integer NOT NULL,
  code text NOT NULL,
  name text NOT NULL,
  account bigint NOT NULL,
  contract text NOT NULL DEFAULT 'unlimited'::text,
  credit_limit bigint NOT NULL DEFAULT 0,
  contract_number text,
  contract_from date,
  contract_until date,
  status text NOT NULL DEFAULT 'active'::text,
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT organisations_contract_check CHECK ((contract = ANY (ARRAY['unlimited'::text, 'prepaid'::text, 'credit_line'::text]))),
  CONSTRAINT organisations_credit_limit_check CHECK ((credit_limit >= 0)),
  CONSTRAINT organisations_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT organisations_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text]))),
  CONSTRAINT organisations_tenant_account_fkey FOREIGN KEY (tenant, account) REFERENCES accounts(tenant, id),
  CONSTRAINT organisations_tenant_code_key UNIQUE (tenant, code),
  CONSTRAINT organisations_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id)
);

CREATE TABLE pan_vault (
  token uuid NOT NULL,
  tenant integer NOT NULL,
  sealed bytea NOT NULL,
  CONSTRAINT pan_vault_pkey PRIMARY KEY (tenant, token)
);

CREATE TABLE program_terms (
  starts_at timestamp with time zone NOT NULL,
  made_at timestamp with time zone NOT NULL,
  tenant integer NOT NULL,
  program integer NOT NULL,
  version integer NOT NULL,
  made_by text NOT NULL,
  terms json NOT NULL,
  CONSTRAINT program_terms_pkey PRIMARY KEY (tenant, program, version),
  CONSTRAINT program_terms_tenant_program_fkey FOREIGN KEY (tenant, program) REFERENCES programs(tenant, id)
);

CREATE TABLE programs (
  tenant integer NOT NULL,
  id integer NOT NULL,
  code text NOT NULL,
  kind text NOT NULL,
  asset smallint NOT NULL,
  name text NOT NULL,
  funder integer,
  bin text,
  status text NOT NULL DEFAULT 'active'::text,
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT programs_bin_check CHECK ((bin ~ '^[0-9]{6,12}$'::text)),
  CONSTRAINT programs_kind_check CHECK ((kind = ANY (ARRAY['credit'::text, 'welfare'::text, 'gift'::text, 'voucher'::text]))),
  CONSTRAINT programs_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT programs_status_check CHECK ((status = ANY (ARRAY['active'::text, 'closed'::text]))),
  CONSTRAINT programs_tenant_asset_fkey FOREIGN KEY (tenant, asset) REFERENCES assets(tenant, id),
  CONSTRAINT programs_tenant_code_key UNIQUE (tenant, code),
  CONSTRAINT programs_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants(id),
  CONSTRAINT programs_tenant_funder_fkey FOREIGN KEY (tenant, funder) REFERENCES organisations(tenant, id)
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
  fee bigint NOT NULL DEFAULT 0,
  CONSTRAINT settlements_check CHECK ((after_batch < up_to_batch)),
  CONSTRAINT settlements_check1 CHECK ((net = (purchases - refunds))),
  CONSTRAINT settlements_fee_check CHECK ((fee >= 0)),
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
  calendar text NOT NULL DEFAULT 'gregorian'::text,
  breakage_account bigint NOT NULL,
  fees_account bigint NOT NULL,
  four_eyes_above bigint,
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT tenants_calendar_check CHECK ((calendar = ANY (ARRAY['gregorian'::text, 'persian'::text]))),
  CONSTRAINT tenants_code_key UNIQUE (code),
  CONSTRAINT tenants_cut_over_seconds_check CHECK (((cut_over_seconds >= 0) AND (cut_over_seconds <= 86399))),
  CONSTRAINT tenants_four_eyes_above_check CHECK ((four_eyes_above >= 0)),
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
  operations text[],
  status text NOT NULL DEFAULT 'active'::text,
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT terminals_channel_check CHECK ((channel = ANY (ARRAY['pos'::text, 'web'::text, 'app'::text]))),
  CONSTRAINT terminals_code_check CHECK (((length(code) >= 1) AND (length(code) <= 8))),
  CONSTRAINT terminals_confirm_within_seconds_check CHECK (((confirm_within_seconds >= 1) AND (confirm_within_seconds <= 2678400))),
  CONSTRAINT terminals_confirmation_check CHECK ((confirmation = ANY (ARRAY['explicit'::text, 'implicit'::text]))),
  CONSTRAINT terminals_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT terminals_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text]))),
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

CREATE TABLE voucher_series (
  id bigint NOT NULL,
  made_at timestamp with time zone NOT NULL,
  sealed_at timestamp with time zone,
  amount bigint NOT NULL,
  list bigint NOT NULL,
  tenant integer NOT NULL,
  version integer NOT NULL DEFAULT 1,
  program integer NOT NULL,
  funder integer NOT NULL,
  valid_from integer,
  valid_until integer NOT NULL,
  count integer NOT NULL,
  made_by integer NOT NULL,
  name text NOT NULL,
  actor text NOT NULL,
  salt bytea,
  CONSTRAINT voucher_series_amount_check CHECK ((amount > 0)),
  CONSTRAINT voucher_series_check CHECK (((salt IS NULL) = (sealed_at IS NOT NULL))),
  CONSTRAINT voucher_series_count_check CHECK (((count >= 1) AND (count <= 100000))),
  CONSTRAINT voucher_series_pkey PRIMARY KEY (tenant, id),
  CONSTRAINT voucher_series_salt_check CHECK ((length(salt) = 32)),
  CONSTRAINT voucher_series_tenant_program_fkey FOREIGN KEY (tenant, program) REFERENCES programs(tenant, id)
);

CREATE INDEX api_keys_by_tenant ON public.api_keys USING btree (tenant, id);

CREATE INDEX approvals_waiting ON public.approvals USING btree (tenant, id) WHERE (status = 'waiting'::text);

CREATE INDEX audit_log_by_actor ON public.audit_log USING btree (tenant, api_key, id);

CREATE INDEX audit_log_by_entity ON public.audit_log USING btree (tenant, entity, entity_id, id);

CREATE INDEX cardholder_profiles_by_mobile ON public.cardholder_profiles USING btree (tenant, mobile) WHERE (mobile IS NOT NULL);

CREATE INDEX cards_by_holder ON public.cards USING btree (holder);

CREATE INDEX cards_by_id ON public.cards USING btree (id);

CREATE INDEX cards_by_last4 ON public.cards USING btree (last4, id);

CREATE INDEX cards_by_status ON public.cards USING btree (status, id) WHERE (status <> 0);

CREATE INDEX decisions_by_batch ON ONLY public.decisions USING brin (batch_seq) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX decisions_by_transaction ON ONLY public.decisions USING brin (txn int8_minmax_multi_ops) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX decisions_other_batch_seq_idx ON public.decisions_other USING brin (batch_seq) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX decisions_other_txn_idx ON public.decisions_other USING brin (txn int8_minmax_multi_ops) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX keys_by_change ON public.keys USING btree (changed_at);

CREATE INDEX load_lists_running ON public.load_lists USING btree (tenant, id) WHERE (state = 'running'::text);

CREATE INDEX load_schedules_due ON public.load_schedules USING btree (tenant, due_at) WHERE (status = 'active'::text);

CREATE INDEX lot_movements_by_time ON public.lot_movements USING btree (tenant, at);

CREATE INDEX lots_by_sweep ON public.lots USING btree (tenant, sweep_due) WHERE (sweep_due IS NOT NULL);

CREATE INDEX settlements_by_request ON public.settlements USING btree (tenant, request);

CREATE INDEX settlements_by_watermark ON public.settlements USING btree (tenant, merchant, up_to_batch);

CREATE INDEX transactions_by_holder ON ONLY public.transactions USING btree (holder, id);

CREATE INDEX transactions_by_reference ON ONLY public.transactions USING btree (tenant, merchant, reference) WHERE (reference IS NOT NULL);

CREATE INDEX transactions_by_rrn ON ONLY public.transactions USING btree (tenant, merchant, rrn) WHERE (rrn IS NOT NULL);

CREATE INDEX transactions_other_holder_id_idx ON public.transactions_other USING btree (holder, id);

CREATE INDEX transactions_other_tenant_merchant_reference_idx ON public.transactions_other USING btree (tenant, merchant, reference) WHERE (reference IS NOT NULL);

CREATE INDEX transactions_other_tenant_merchant_rrn_idx ON public.transactions_other USING btree (tenant, merchant, rrn) WHERE (rrn IS NOT NULL);

CREATE UNIQUE INDEX audit_log_by_key ON public.audit_log USING btree (tenant, key) WHERE (key IS NOT NULL);

CREATE UNIQUE INDEX cardholder_profiles_by_national ON public.cardholder_profiles USING btree (tenant, national_hash) WHERE (national_hash IS NOT NULL);

CREATE UNIQUE INDEX cardholder_profiles_by_reference ON public.cardholder_profiles USING btree (tenant, reference) WHERE (reference IS NOT NULL);

CREATE UNIQUE INDEX imports_unfinished ON public.imports USING btree (tenant, kind, file_hash) WHERE (finished_at IS NULL);

CREATE UNIQUE INDEX keys_active ON public.keys USING btree (tenant, owner, usage, name) WHERE (status = 'active'::text);

CREATE UNIQUE INDEX load_lists_by_hash ON public.load_lists USING btree (tenant, hash) WHERE ((hash IS NOT NULL) AND (state <> 'cancelled'::text));

CREATE UNIQUE INDEX load_lists_by_period ON public.load_lists USING btree (tenant, schedule, period) WHERE (schedule IS NOT NULL);

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

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $function$
;

COMMENT ON COLUMN api_keys.made_by IS 'The key that it was made with; null: it was there from the start';

COMMENT ON COLUMN cards.kind IS '0 physical, 1 virtual, 2 the code of a voucher';

COMMENT ON COLUMN cards.program IS 'Whose range the number is from';

COMMENT ON COLUMN cards.status IS '0 active, 1 blocked, 2 inactive, 3 replaced, 4 closed';

COMMENT ON COLUMN cards.status_reason IS 'Why it is blocked, replaced or closed, in an operator''s words';

COMMENT ON COLUMN decisions.content IS 'Fingerprint of the request; empty: refuses whatever comes under this key';

COMMENT ON COLUMN decisions.day IS 'Days since 1970-01-01: of the time in the key (DE7), or on which it was first seen';

COMMENT ON COLUMN decisions.render IS 'Version of the rendering of the answer';

COMMENT ON COLUMN dukpt_devices.device IS 'The key serial number with its counter as zeros (triple DES) or left out (AES)';

COMMENT ON COLUMN holidays.day IS 'Days since 1970-01-01, in the tenant''s zone';

COMMENT ON COLUMN keys.settings IS 'Of an IBM 3624 key: decimalisation table and validation data';

COMMENT ON COLUMN keys.until IS 'A retiring key is still taken up to here';

COMMENT ON COLUMN load_lines.by IS 'What names the holder: 0 reference, 1 card, 2 national code, 3 mobile, 4 holder';

COMMENT ON COLUMN load_lines.is_fixed IS 'Rejected for what it says, whatever else may change';

COMMENT ON COLUMN load_lines.state IS '0 accepted, 1 rejected, 2 done';

COMMENT ON COLUMN load_lists.hash IS 'Of the file''s bytes and the reference it was sent under';

COMMENT ON COLUMN load_lists.period IS 'Of a schedule: the first day of the month that it is of';

COMMENT ON COLUMN lot_movements.balance IS 'What was posted on the lot after it';

COMMENT ON COLUMN lot_movements.kind IS 'The kind of the command, as in decisions';

COMMENT ON COLUMN lots.spare IS 'Room on the page, of no meaning; NULL since it was first changed';

COMMENT ON COLUMN lots.status IS '0 open, 1 frozen';

COMMENT ON COLUMN organisation_movements.amount IS 'Below zero: paid back to it';

COMMENT ON COLUMN organisation_movements.balance IS 'What it had left after it; NULL: copied from the audit log';

COMMENT ON COLUMN transactions.business_date IS 'Days since 1970-01-01, in the tenant''s zone and after its cut-over';

COMMENT ON COLUMN transactions.day IS 'Days since 1970-01-01, UTC, as in the id';

COMMENT ON COLUMN transactions.legs IS 'lot, program, funder, held, posted for each';

COMMENT ON COLUMN voucher_series.valid_until IS 'The last local day, as days since 1970-01-01';
