import type { Asset, Catalog, Funder, Merchant, Operation, Program, Terminal } from '../core/catalog.ts'
import type { TermsVersion } from '../core/terms.ts'
import { readTerms } from '../core/terms-json.ts'
import type { Pool } from './pool.ts'
import { idOf, idOrNull, microsOf } from './sql.ts'

type Text = Record<string, string | null>

/** Everything the tenants have set up, as of now. */
export async function readCatalogs(pool: Pool): Promise<Map<number, Catalog>> {
  const { rows } = await pool.query<Text>(
    `SELECT id::text, code, currency::text, time_zone, cut_over_seconds::text, clearing_account::text,
       breakage_account::text, fees_account::text, calendar FROM tenants`,
  )
  const catalogs = await Promise.all(rows.map(row => readCatalog(pool, row)))
  return new Map(catalogs.map(catalog => [catalog.tenant.id, catalog]))
}

/** Moves whenever any tenant's reference data does. */
async function readCatalogVersion(pool: Pool): Promise<string> {
  const { rows } = await pool.query<Text>(
    "SELECT coalesce(string_agg(id || ':' || catalog_version, ',' ORDER BY id), '') AS version FROM tenants",
  )
  return rows[0]?.version ?? ''
}

/** The tenants' reference data in memory, read again when its version moves. */
export async function openCatalogs(pool: Pool) {
  let version = await readCatalogVersion(pool)
  let last: Promise<unknown> = Promise.resolve()
  const refresh = async (): Promise<void> => {
    const latest = await readCatalogVersion(pool)
    if (latest === version) return
    catalogs.byTenant = await readCatalogs(pool)
    version = latest
  }
  const catalogs = {
    byTenant: await readCatalogs(pool),
    /** One at a time, so that an older reading never takes the place of a newer one. */
    refresh(): Promise<void> {
      const next = last.then(refresh, refresh)
      last = next
      return next
    },
  }
  return catalogs
}

async function readCatalog(pool: Pool, tenant: Text): Promise<Catalog> {
  const id = idOf(tenant.id)
  const list = async <Item>(text: string, itemOf: (row: Text) => Item): Promise<Item[]> =>
    (await pool.query<Text>(text, [id])).rows.map(itemOf)
  const assets = await list('SELECT id::text, code, numeric, scale::text FROM assets WHERE tenant = $1', assetOf)
  const merchants = await list(
    `SELECT id::text, code, name, payable::text, category, array_to_json(groups)::text AS groups,
       fee_millionths::text, fee_each::text, status FROM merchants WHERE tenant = $1`,
    merchantOf,
  )
  const terminals = await list(
    `SELECT id::text, code, merchant::text, confirmation, partial::text, confirm_within_seconds::text,
       array_to_json(operations)::text AS operations, status FROM terminals WHERE tenant = $1`,
    terminalOf,
  )
  const programs = await list(
    `SELECT p.id::text, p.code, p.name, p.kind, p.asset::text, p.funder::text, p.status,
       (SELECT json_agg(json_build_array(t.version, ${microsOf('t.starts_at')}, t.terms) ORDER BY t.version)
         FROM program_terms t WHERE t.tenant = p.tenant AND t.program = p.id)::text AS versions
     FROM programs p WHERE p.tenant = $1`,
    programOf,
  )
  const funders = await list(
    `SELECT id::text, code, name, account::text, contract, credit_limit::text, status,
       (contract_from - date '1970-01-01')::text AS contract_from,
       (contract_until - date '1970-01-01')::text AS contract_until
     FROM organisations WHERE tenant = $1`,
    funderOf,
  )
  const holidays = await list('SELECT day::text FROM holidays WHERE tenant = $1', row => idOf(row.day))
  const currency = assets.find(asset => asset.id === idOf(tenant.currency))
  if (currency === undefined) throw new Error(`tenant ${tenant.code} has no asset for its currency`)
  return {
    tenant: {
      id,
      code: tenant.code as string,
      currency,
      timeZone: tenant.time_zone as string,
      cutOverSeconds: idOf(tenant.cut_over_seconds),
      clearingAccount: idOf(tenant.clearing_account),
      breakageAccount: idOf(tenant.breakage_account),
      feesAccount: idOf(tenant.fees_account),
      calendar: tenant.calendar as Catalog['tenant']['calendar'],
      holidays: new Set(holidays),
    },
    merchantsByCode: by(merchants, 'code'),
    merchantsById: by(merchants, 'id'),
    terminalsByCode: by(terminals, 'code'),
    terminalsById: by(terminals, 'id'),
    programsById: by(programs, 'id'),
    fundersById: by(funders, 'id'),
    assetsById: by(assets, 'id'),
  }
}

const by = <Item, Name extends keyof Item>(items: readonly Item[], name: Name): Map<Item[Name], Item> =>
  new Map(items.map(item => [item[name], item]))

const assetOf = (row: Text): Asset => ({
  id: idOf(row.id),
  code: row.code as string,
  numeric: row.numeric ?? null,
  scale: idOf(row.scale),
})

const merchantOf = (row: Text): Merchant => ({
  id: idOf(row.id),
  code: row.code as string,
  name: row.name as string,
  payable: idOf(row.payable),
  category: row.category ?? null,
  groups: JSON.parse(row.groups as string) as string[],
  isSuspended: row.status === 'suspended',
  fee: { millionths: idOf(row.fee_millionths), each: BigInt(row.fee_each as string) },
})

const terminalOf = (row: Text): Terminal => ({
  id: idOf(row.id),
  code: row.code as string,
  merchant: idOf(row.merchant),
  confirmation: row.confirmation as Terminal['confirmation'],
  partial: row.partial === 'true',
  confirmWithinSeconds: idOrNull(row.confirm_within_seconds),
  operations: row.operations === null ? null : (JSON.parse(row.operations as string) as Operation[]),
  isSuspended: row.status === 'suspended',
})

const programOf = (row: Text): Program => ({
  id: idOf(row.id),
  code: row.code as string,
  kind: row.kind as Program['kind'],
  name: row.name as string,
  asset: idOf(row.asset),
  funder: idOrNull(row.funder),
  isClosed: row.status === 'closed',
  versions: versionsOf(row.code as string, row.versions ?? '[]'),
})

function versionsOf(program: string, json: string): TermsVersion[] {
  return (JSON.parse(json) as [number, number, unknown][]).map(([version, startsAt, document]) => {
    const { terms, errors } = readTerms(document)
    // They were checked when they were stored: somebody has changed them by hand.
    if (terms === null)
      throw new Error(`terms ${version} of program ${program}: ${errors[0]?.field} ${errors[0]?.message}`)
    return { version, startsAt, terms }
  })
}

const funderOf = (row: Text): Funder => ({
  id: idOf(row.id),
  code: row.code as string,
  name: row.name as string,
  account: idOf(row.account),
  contract: row.contract as Funder['contract'],
  creditLimit: BigInt(row.credit_limit as string),
  contractFrom: idOrNull(row.contract_from),
  contractUntil: idOrNull(row.contract_until),
  isSuspended: row.status === 'suspended',
})
