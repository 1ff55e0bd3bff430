import type { Pool } from './pool.ts'

/** What the PIN of a card is checked against: a Visa PVV or an IBM 3624 offset, and the name of the key. */
export interface CardPin {
  readonly method: 'pvv' | 'ibm3624'
  readonly keyName: string
  readonly value: string
}

/** Sets what a card's PIN is checked against, and forgets wrong tries. Answers whether there is such a card. */
export async function setCardPin(pool: Pool, tenant: number, token: string, pin: CardPin): Promise<boolean> {
  if (!(await resetPinTries(runOf(pool), tenant, token))) return false
  await pool.query(
    `INSERT INTO card_pins (tenant, token, method, key_name, value) VALUES ($1, $2::uuid, $3, $4, $5)
     ON CONFLICT (tenant, token) DO UPDATE SET method = excluded.method, key_name = excluded.key_name,
       value = excluded.value`,
    [tenant, token, pin.method, pin.keyName, pin.value],
  )
  return true
}

/** Runs one statement and answers its rows, on whatever connection it is. */
type Run = (text: string, values: readonly unknown[]) => Promise<readonly unknown[]>

export const runOf =
  (pool: Pool): Run =>
  async (text, values) =>
    (await pool.query(text, [...values])).rows

/** Sets the count of wrong PINs back, under the lock of the holder. Answers whether there is such a card. */
export async function resetPinTries(run: Run, tenant: number, token: string): Promise<boolean> {
  const rows = await run(
    `WITH locked AS MATERIALIZED (
       SELECT h.id FROM cardholders h WHERE h.tenant = $1
         AND h.id = (SELECT holder FROM cards WHERE tenant = $1 AND token = $2::uuid) FOR NO KEY UPDATE)
     UPDATE cards c SET pin_tries = 0 FROM locked WHERE c.tenant = $1 AND c.token = $2::uuid AND c.holder = locked.id
     RETURNING 1 AS done`,
    [tenant, token],
  )
  return rows.length === 1
}
