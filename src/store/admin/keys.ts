import { dayOfTime } from '../sql.ts'
import type { Run } from './pool.ts'

const today = dayOfTime('clock_timestamp()')

/** The engine answers a key again on the day on which it was first sent and the day after. */
const asLongAsAnswered = '48 hours'
/** That is 24 hours at least: whoever asks now has an hour to reach the engine. */
export const asLongAsSure = '23 hours'

/**
 * The fingerprint of the command that the engine has decided under a key of an API client, if it would still be
 * answered again: see `Command`. Null: there is none. `within`: only if it was decided so recently.
 */
export async function readCommandContent(
  run: Run,
  tenant: number,
  key: string,
  within: string = asLongAsAnswered,
): Promise<string | null> {
  const [row] = await run(
    `SELECT encode(d.content, 'hex') AS content FROM decisions d WHERE d.tenant = $1 AND d.key = $2::uuid
       AND d.day >= (SELECT ${today} - 1)
       AND d.day <= (SELECT ${today})
       AND d.at > clock_timestamp() - $3::interval`,
    [tenant, key, within],
  )
  return row === undefined ? null : (row.content as string)
}

/** The fingerprint of the request of the admin API that was answered under a key. Null: there was none. */
export async function readRequestContent(run: Run, tenant: number, key: string): Promise<string | null> {
  const [row] = await run('SELECT content FROM admin_requests WHERE tenant = $1 AND key = $2::uuid', [tenant, key])
  return row === undefined ? null : (row.content as string)
}
