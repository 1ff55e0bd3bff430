import type { CardPin } from '../card-pins.ts'
import { statement } from '../sql.ts'
import type { Query } from './pool.ts'

/** What the PIN of a card is checked against; null if nothing is stored, or there is no such card. */
export async function readCardPin(query: Query, tenant: number, token: string): Promise<CardPin | null> {
  const [row] = await query(
    statement('read_card_pin', 'SELECT method, key_name, value FROM card_pins WHERE tenant = $1 AND token = $2::uuid', [
      tenant,
      token,
    ]),
  )
  if (row === undefined) return null
  return { method: row[0] as CardPin['method'], keyName: row[1] as string, value: row[2] as string }
}
