import pg from 'pg'
import { beginChecks, checksOf, firstWrong } from './audit/checks.ts'

/** One invariant, and where it does not hold. */
export interface AuditFinding {
  readonly name: string
  /** What was looked at. */
  readonly checked: number
  /** Ids of what is wrong, ten of them at most; empty: it holds. */
  readonly offenders: readonly string[]
}

/** How many checks there are. */
export const auditChecks = checksOf('').length

/**
 * Checks the invariants of the design on a live database, all in one snapshot. Yields a finding as soon as it is there;
 * `onStart` is told what is looked at next: 0 is the reading of all postings. It reads everything: on a large database
 * it takes its time.
 */
export async function* audit(
  url: string,
  onStart: (number: number, name: string) => void = () => undefined,
): AsyncGenerator<AuditFinding> {
  const client = new pg.Client({ connectionString: url, application_name: 'charsu-audit' })
  await client.connect()
  try {
    onStart(0, 'reading all postings')
    await beginChecks(client)
    for (const [index, check] of checksOf(url).entries()) {
      const { name, prepare, of } = check
      onStart(index + 1, name)
      await prepare?.(client)
      const { rows: counted } = await client.query<{ count: string }>(of)
      const { rows } = await client.query<{ id: string }>(firstWrong(check))
      yield { name, checked: Number.parseInt(counted[0]?.count ?? '0', 10), offenders: rows.map(({ id }) => id) }
    }
    await client.query('ROLLBACK')
  } finally {
    await client.end()
  }
}
