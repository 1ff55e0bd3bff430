import type { CardToken } from '../../core/commands.ts'
import type { Micros } from '../../core/ids.ts'
import type { CardSnapshot, Snapshot } from '../../core/snapshot.ts'
import type { OrganisationCounters } from '../../core/working-set.ts'
import { cardColumnCount, cardColumns, cardOf, lotColumns, lotOf, usageOf } from '../batch/columns.ts'
import { idOf, idOrNull, microsOf, type Row, statement } from '../sql.ts'
import type { Query } from './pool.ts'

export interface HolderView extends Snapshot {
  /** The moment for which this is true, by the database's clock. */
  readonly at: Micros
}

export type CardView = HolderView & CardSnapshot

/** What is read of a holder `h`, a lot `l` and its funder's counters `o`. */
const holderColumns = `h.id, h.usage, ${microsOf('clock_timestamp()')}, o.organisation, o.balance, o.usage,
  ${lotColumns('l')}`
const holderColumnCount = 6

const joins = `LEFT JOIN lots l ON l.tenant = h.tenant AND l.holder = h.id
  LEFT JOIN organisation_counters o ON o.tenant = l.tenant AND o.organisation = l.funder`

/** A row for each lot of the card's holder, one without where there is none. */
export const cardStatement = (tenant: number, token: CardToken) =>
  statement(
    'read_card_and_lots',
    `SELECT ${cardColumns('c')}, ${holderColumns}
     FROM (SELECT $1::integer AS tenant, $2::uuid AS token OFFSET 0) AS x
     JOIN cards c ON c.tenant = x.tenant AND c.token = x.token
     JOIN cardholders h ON h.tenant = c.tenant AND h.id = c.holder ${joins}`,
    [tenant, token],
  )

export const holderStatement = (tenant: number, holder: number) =>
  statement(
    'read_holder_and_lots',
    `SELECT ${holderColumns}
     FROM (SELECT $1::integer AS tenant, $2::bigint AS holder OFFSET 0) AS x
     JOIN cardholders h ON h.tenant = x.tenant AND h.id = x.holder ${joins}`,
    [tenant, holder],
  )

/** Null if there is no such card. */
export async function readCard(query: Query, tenant: number, token: CardToken): Promise<CardView | null> {
  const rows = await query(cardStatement(tenant, token))
  const [first] = rows
  return first === undefined ? null : { ...holderOf(rows, first, cardColumnCount), card: cardOf(first) }
}

/** Null if there is no such holder. */
export async function readHolder(query: Query, tenant: number, holder: number): Promise<HolderView | null> {
  const rows = await query(holderStatement(tenant, holder))
  const [first] = rows
  return first === undefined ? null : holderOf(rows, first, 0)
}

function holderOf(rows: readonly Row[], first: Row, from: number): HolderView {
  const organisations = new Map<number, OrganisationCounters>()
  for (const row of rows) {
    const id = idOrNull(row[from + 3])
    if (id !== null) organisations.set(id, { id, balance: BigInt(row[from + 4] ?? '0'), usage: usageOf(row[from + 5]) })
  }
  const lotsFrom = from + holderColumnCount
  return {
    holder: idOf(first[from]),
    usage: usageOf(first[from + 1]),
    at: idOf(first[from + 2]),
    organisations: [...organisations.values()],
    lots: rows.filter(row => row[lotsFrom] !== null).map(row => lotOf(row, lotsFrom)),
  }
}
