import type { CardToken } from '../../core/commands.ts'
import type { Micros } from '../../core/ids.ts'
import type { Lot } from '../../core/ledger.ts'
import type { Card } from '../../core/transactions.ts'
import { cardColumnCount, cardColumns, cardOf, lotColumns, lotOf } from '../batch/columns.ts'
import { idOf, microsOf, statement } from '../sql.ts'
import type { Query } from './pool.ts'

export interface CardAndLots {
  readonly card: Card
  readonly lots: readonly Lot[]
  /** The moment for which this is true, by the database's clock. */
  readonly at: Micros
}

const lotsFrom = cardColumnCount + 1

/** One snapshot of a card with every lot of its holder: a row for each lot, one without where there is none. */
export const cardStatement = (tenant: number, token: CardToken) =>
  statement(
    'read_card_and_lots',
    `SELECT ${cardColumns('c')}, ${microsOf('clock_timestamp()')}, ${lotColumns('l')}
     FROM (SELECT $1::integer AS tenant, $2::uuid AS token OFFSET 0) AS x
     JOIN cards c ON c.tenant = x.tenant AND c.token = x.token
     LEFT JOIN lots l ON l.tenant = c.tenant AND l.holder = c.holder`,
    [tenant, token],
  )

/** Null if there is no such card. */
export async function readCard(query: Query, tenant: number, token: CardToken): Promise<CardAndLots | null> {
  const rows = await query(cardStatement(tenant, token))
  const [first] = rows
  if (first === undefined) return null
  const lots = rows.filter(row => row[lotsFrom] !== null).map(row => lotOf(row, lotsFrom))
  return { card: cardOf(first), lots, at: idOf(first[cardColumnCount]) }
}
