import type { Pool } from './pool.ts'

/**
 * Whether a secret is the one that this database was first used with. `value` is made from the secret, and tells
 * nothing about it; the first one is kept.
 */
export async function isSameSecret(pool: Pool, name: string, value: string): Promise<boolean> {
  await pool.query('INSERT INTO secret_checks (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', [
    name,
    value,
  ])
  const { rows } = await pool.query<{ value: string }>('SELECT value FROM secret_checks WHERE name = $1', [name])
  return rows[0]?.value === value
}
