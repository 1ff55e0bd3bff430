import type { Created, Creation } from '../../core/admin.ts'
import { refused } from '../../core/admin.ts'
import type { LoadList, NewClawbackList } from '../../core/load-lists.ts'
import { arrayOf, dayOfTime, idOf } from '../sql.ts'
import { createOnce } from './changes.ts'
import { countLines } from './load-checks.ts'
import { listEntity, patience, readList } from './load-lists.ts'
import type { AdminPool } from './pool.ts'

/** A list that takes everything unspent back from these holders, and runs at once. */
export function createClawbackList(
  pool: AdminPool,
  creation: Creation<LoadList>,
  { program, funder, holders, reason, reference }: NewClawbackList,
): Promise<Created> {
  const { tenant, apiKey, label } = creation.actor
  return createOnce(pool, listEntity, creation, async run => {
    await run(patience)
    const [made] = await run(
      `INSERT INTO load_lists (id, made_at, tenant, kind, source, state, program, funder, only_funder, reason,
         reference, made_by, actor, run_at, resumed_at, run_day)
       SELECT nextval('load_list_seq'), at, $1, 'clawback', 'request', 'running', $2, $3, $3, $4, $5, $6, $7, at, at,
         ${dayOfTime('at')} FROM (SELECT clock_timestamp() AS at) x RETURNING id`,
      [tenant, program, funder, reason, reference, apiKey, label],
    )
    const id = idOf(made?.id)
    const lines = await run(
      `INSERT INTO load_lines (tenant, list, line, state, by, holder, shown, program, funder)
       SELECT $1, $2, u.place, 0, 4, c.id, c.id::text, $3, $4
       FROM unnest($5::bigint[]) WITH ORDINALITY AS u(holder, place)
       JOIN cardholders c ON c.tenant = $1 AND c.id = u.holder RETURNING line`,
      [tenant, id, program, funder, arrayOf(holders)],
    )
    if (lines.length < holders.length) {
      const known = new Set(lines.map(row => idOf(row.line)))
      const at = holders.findIndex((_, index) => !known.has(index + 1))
      return refused('format_invalid', `/cardholders/${at}`, 'is no holder that is known')
    }
    await countLines(run, tenant, id)
    const item = (await readList(run, tenant, id)) as LoadList
    return { kind: 'made', item, id: String(id), version: item.version }
  })
}
