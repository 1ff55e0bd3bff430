import type { CardToken } from '../../core/commands.ts'
import type { Micros } from '../../core/ids.ts'
import type { Lot } from '../../core/ledger.ts'
import type { CardSnapshot, Snapshot } from '../../core/snapshot.ts'
import type { OrganisationCounters } from '../../core/working-set.ts'
import { cardColumns, cardOf, lotColumns, lotOf, usageOf } from '../batch/columns.ts'
import { type RowReader, TextReader } from '../rows.ts'
import { statement } from '../sql.ts'
import type { Query } from './pool.ts'

export interface HolderView extends Snapshot {
  /** The moment for which this is true, by the database's clock. */
  readonly at: Micros
}

export type CardView = HolderView & CardSnapshot

/** What is read of a holder `h`, a lot `l` and its funder's counters `o`. */
const holderColumns = `h.id, h.usage, clock_timestamp(), o.organisation, o.balance, o.usage,
  ${lotColumns('l')}`

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
  const rows = (await query(cardStatement(tenant, token))).map(values => {
    const row = new TextReader(values)
    return { card: cardOf(row, token), ...holderRowOf(row) }
  })
  const [first] = rows
  return first === undefined ? null : { ...holderOf(first, rows), card: first.card }
}

/** Null if there is no such holder. */
export async function readHolder(query: Query, tenant: number, holder: number): Promise<HolderView | null> {
  const rows = (await query(holderStatement(tenant, holder))).map(values => holderRowOf(new TextReader(values)))
  const [first] = rows
  return first === undefined ? null : holderOf(first, rows)
}

interface HolderRow extends Pick<HolderView, 'holder' | 'usage' | 'at'> {
  readonly organisation: OrganisationCounters | null
  readonly lot: Lot | null
}

function holderRowOf(row: RowReader): HolderRow {
  const holder = row.number()
  const usage = usageOf(row)
  const at = row.time()
  const id = row.numberOrNull()
  const counters = { balance: row.money(), usage: usageOf(row) }
  return { holder, usage, at, organisation: id === null ? null : { id, ...counters }, lot: lotOf(row) }
}

function holderOf({ holder, usage, at }: HolderRow, rows: readonly HolderRow[]): HolderView {
  const organisations = rows.flatMap(({ organisation }) => organisation ?? [])
  return {
    holder,
    usage,
    at,
    organisations: [...new Map(organisations.map(one => [one.id, one])).values()],
    lots: rows.flatMap(({ lot }) => lot ?? []),
  }
}
