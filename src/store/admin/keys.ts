import type { Run } from './pool.ts'

const daySeconds = 86_400

/**
 * The fingerprint of the command that the engine has decided under a key of an API client, if it would still be
 * answered again: see `Command`. Null: there is none.
 */
export async function readCommandContent(run: Run, tenant: number, key: string): Promise<string | null> {
  const [row] = await run(
    `SELECT encode(d.content, 'hex') AS content FROM decisions d WHERE d.tenant = $1 AND d.key = $2::uuid
       AND d.day >= (SELECT floor(date_part('epoch', clock_timestamp()) / ${daySeconds})::integer - 1)
       AND d.day <= (SELECT floor(date_part('epoch', clock_timestamp()) / ${daySeconds})::integer)`,
    [tenant, key],
  )
  return row === undefined ? null : (row.content as string)
}

/** The fingerprint of the request of the admin API that was answered under a key. Null: there was none. */
export async function readRequestContent(run: Run, tenant: number, key: string): Promise<string | null> {
  const [row] = await run('SELECT content FROM admin_requests WHERE tenant = $1 AND key = $2::uuid', [tenant, key])
  return row === undefined ? null : (row.content as string)
}
