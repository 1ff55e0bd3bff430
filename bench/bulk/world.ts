import type pg from 'pg'
import type { Till } from '../../src/load/spec.ts'

/** What the tenant has, and from where on there is room. */
export interface World {
  readonly tenant: number
  readonly asset: number
  readonly program: number
  readonly funder: number
  readonly terminals: readonly (Till & {
    readonly terminalId: number
    readonly merchantId: number
    readonly payable: number
  })[]
  readonly firstHolder: number
  readonly firstSerial: number
  readonly firstLot: number
  readonly firstBatch: number
  /** Days since 1970-01-01, by the database's clock. */
  readonly today: number
}

export async function readWorld(client: pg.Client): Promise<World> {
  const number = (text: string | undefined): number => Number.parseInt(text ?? '', 10)
  const { rows } = await client.query<Record<string, string>>(
    `SELECT t.id::text AS tenant, t.currency::text AS asset, (SELECT min(id)::text FROM programs) AS program,
       (SELECT min(id)::text FROM organisations) AS funder, (SELECT (max(id) + 1)::text FROM cardholders) AS holder,
       (SELECT (count(*) + 1)::text FROM cards) AS serial, (SELECT (last_value + 1)::text FROM lot_seq) AS lot,
       (SELECT (last_value + 1)::text FROM batch_seq) AS batch,
       floor(extract(epoch FROM clock_timestamp()) / 86400)::text AS today
     FROM tenants t`,
  )
  const { rows: terminals } = await client.query<Record<string, string>>(
    `SELECT t.code AS terminal, m.code AS merchant, t.id::text AS terminal_id, m.id::text AS merchant_id,
       m.payable::text AS payable
     FROM terminals t JOIN merchants m ON m.tenant = t.tenant AND m.id = t.merchant ORDER BY t.id`,
  )
  const [row = {}] = rows
  return {
    tenant: number(row.tenant),
    asset: number(row.asset),
    program: number(row.program),
    funder: number(row.funder),
    firstHolder: number(row.holder),
    firstSerial: number(row.serial),
    firstLot: number(row.lot),
    firstBatch: number(row.batch),
    today: number(row.today),
    terminals: terminals.map(one => ({
      terminal: one.terminal ?? '',
      merchant: one.merchant ?? '',
      terminalId: number(one.terminal_id),
      merchantId: number(one.merchant_id),
      payable: number(one.payable),
    })),
  }
}
