import type { Asset, Catalog, Funder, Merchant, Program, Terminal } from '../core/catalog.ts'
import type { Pool } from './pool.ts'
import { idOf, idOrNull } from './sql.ts'

type Text = Record<string, string>

/** Everything the tenants have set up, as of now. */
export async function readCatalogs(pool: Pool): Promise<Map<number, Catalog>> {
  const { rows } = await pool.query<Text>(
    'SELECT id::text, code, currency::text, time_zone, cut_over_seconds::text, clearing_account::text FROM tenants',
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
  const catalogs = {
    byTenant: await readCatalogs(pool),
    async refresh() {
      const latest = await readCatalogVersion(pool)
      if (latest === version) return
      catalogs.byTenant = await readCatalogs(pool)
      version = latest
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
    'SELECT id::text, code, name, payable::text FROM merchants WHERE tenant = $1',
    merchantOf,
  )
  const terminals = await list(
    `SELECT id::text, code, merchant::text, confirmation, partial::text, confirm_within_seconds::text
     FROM terminals WHERE tenant = $1`,
    terminalOf,
  )
  const programs = await list(
    'SELECT id::text, code, kind, priority::text, confirm_within_seconds::text FROM programs WHERE tenant = $1',
    programOf,
  )
  const funders = await list('SELECT id::text, code, account::text FROM organisations WHERE tenant = $1', funderOf)
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
})

const terminalOf = (row: Text): Terminal => ({
  id: idOf(row.id),
  code: row.code as string,
  merchant: idOf(row.merchant),
  confirmation: row.confirmation as Terminal['confirmation'],
  partial: row.partial === 'true',
  confirmWithinSeconds: idOrNull(row.confirm_within_seconds),
})

const programOf = (row: Text): Program => ({
  id: idOf(row.id),
  code: row.code as string,
  kind: row.kind as Program['kind'],
  priority: idOf(row.priority),
  confirmWithinSeconds: idOrNull(row.confirm_within_seconds),
})

const funderOf = (row: Text): Funder => ({ id: idOf(row.id), code: row.code as string, account: idOf(row.account) })
