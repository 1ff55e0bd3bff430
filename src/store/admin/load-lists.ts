import type { Change, Changed, Created, Creation, Page, PageRequest } from '../../core/admin.ts'
import { refused } from '../../core/admin.ts'
import {
  type LineState,
  type ListSource,
  type ListState,
  type LoadLine,
  type LoadList,
  lineStates,
  type NewLine,
  type NewList,
} from '../../core/load-lists.ts'
import { arrayOf, arrayOfText, dayOfTime, idOf, idOrNull, microsOf, timestampOf } from '../sql.ts'
import { changeOnce, createOnce } from './changes.ts'
import { checkLines } from './load-checks.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'

export const listEntity = { name: 'load-file', isReference: false } as const

const linesPerStatement = 5_000

/** Long statements of lists are for many lines. */
export const patience = "SET LOCAL statement_timeout = '60s'"

const columns = `id, version, kind, source, state, name, program, funder,
  ${microsOf('expires_at')} AS expires_at, reason, reference, to_json(ignored)::text AS ignored, lines,
  accepted, rejected, done, loaded, total, loaded_total, schedule,
  period, series, actor, ${microsOf('made_at')} AS made_at, ${microsOf('checked_at')} AS checked_at,
  ${microsOf('run_at')} AS run_at, ${microsOf('finished_at')} AS finished_at, ${microsOf('resumed_at')} AS resumed_at,
  resumed_done, ${microsOf('clock_timestamp()')} AS read_at`

const listOf = (row: TextRow): LoadList => ({
  id: idOf(row.id),
  version: idOf(row.version),
  kind: row.kind as LoadList['kind'],
  source: row.source as ListSource,
  state: row.state as ListState,
  name: row.name ?? null,
  program: idOrNull(row.program),
  funder: idOrNull(row.funder),
  expiresAt: idOrNull(row.expires_at),
  reason: row.reason ?? null,
  reference: row.reference ?? null,
  ignored: JSON.parse(row.ignored as string) as string[],
  lines: idOf(row.lines),
  accepted: idOf(row.accepted),
  rejected: idOf(row.rejected),
  done: idOf(row.done),
  loaded: idOf(row.loaded),
  total: BigInt(row.total as string),
  loadedTotal: BigInt(row.loaded_total as string),
  schedule: idOrNull(row.schedule),
  period: idOrNull(row.period),
  series: idOrNull(row.series),
  actor: row.actor as string,
  madeAt: idOf(row.made_at),
  checkedAt: idOrNull(row.checked_at),
  runAt: idOrNull(row.run_at),
  finishedAt: idOrNull(row.finished_at),
  resumedAt: idOrNull(row.resumed_at),
  resumedDone: idOf(row.resumed_done),
  readAt: idOf(row.read_at),
})

/** Stores a file with its lines, and checks them. The same file under the same reference is refused, by its id. */
export function createList(
  pool: AdminPool,
  creation: Creation<LoadList>,
  list: NewList,
  onlyFunder: number | null,
): Promise<Created> {
  const { actor } = creation
  return createOnce(pool, listEntity, creation, async run => {
    await run(patience)
    await run("SELECT pg_advisory_xact_lock(hashtextextended('load file' || $1, 0))", [list.hash])
    const [known] = await run(
      `SELECT id FROM load_lists WHERE tenant = $1 AND hash = decode($2, 'hex') AND state <> 'cancelled'`,
      [actor.tenant, list.hash],
    )
    if (known !== undefined) return refused('file_known', 'file', `is load file ${known.id}; give another reference`)
    const [made] = await run(
      `INSERT INTO load_lists (id, made_at, tenant, kind, source, state, name, program, funder, only_funder, expires_at,
         reason, reference, ignored, hash, size, lines, made_by, actor)
       VALUES (nextval('load_list_seq'), clock_timestamp(), $1, 'load', 'file', 'checked', $2, $3, $4, $5,
         ${timestampOf('$6::bigint')}, $7, $8, $9::text[], decode($10, 'hex'), $11, $12, $13, $14) RETURNING id`,
      [
        actor.tenant,
        list.name,
        list.program,
        list.funder,
        onlyFunder,
        list.expiresAt,
        list.reason,
        list.reference,
        arrayOfText(list.ignored),
        list.hash,
        list.size,
        list.lines.length,
        actor.apiKey,
        actor.label,
      ],
    )
    const id = idOf(made?.id)
    for (let from = 0; from < list.lines.length; from += linesPerStatement) {
      await insertLines(run, actor.tenant, id, list.lines.slice(from, from + linesPerStatement))
    }
    await checkLines(run, actor.tenant, id)
    const item = (await readList(run, actor.tenant, id)) as LoadList
    return { kind: 'made', item, id: String(id), version: item.version }
  })
}

const holderFieldCodes = { reference: 0, card: 1, national: 2, mobile: 3 } as const
const hexOf = ({ by, key }: NonNullable<NewLine['who']>): string =>
  by === 'card' || by === 'national' ? key : Buffer.from(key).toString('hex')

async function insertLines(run: Run, tenant: number, list: number, lines: readonly NewLine[]): Promise<void> {
  await run(
    `INSERT INTO load_lines (tenant, list, line, state, by, key, shown, amount, program, funder, expires_at, field,
       reason, is_fixed)
     SELECT $1, $2, line, CASE WHEN reason IS NULL THEN 0 ELSE 1 END, by, decode(key, 'hex'), shown, amount, program,
       funder, ${timestampOf('expires_at')}, field, reason, reason IS NOT NULL
     FROM unnest($3::integer[], $4::smallint[], $5::text[], $6::text[], $7::bigint[], $8::integer[], $9::integer[],
       $10::bigint[], $11::text[], $12::text[])
       AS u(line, by, key, shown, amount, program, funder, expires_at, field, reason)`,
    [
      tenant,
      list,
      arrayOf(lines.map(({ line }) => line)),
      arrayOf(lines.map(({ who }) => (who === null ? null : holderFieldCodes[who.by]))),
      arrayOfText(lines.map(({ who }) => (who === null ? null : hexOf(who)))),
      arrayOfText(lines.map(({ who }) => who?.shown ?? null)),
      arrayOf(lines.map(({ amount }) => amount)),
      arrayOf(lines.map(({ program }) => program)),
      arrayOf(lines.map(({ funder }) => funder)),
      arrayOf(lines.map(({ expiresAt }) => expiresAt)),
      arrayOfText(lines.map(({ error }) => error?.field ?? null)),
      arrayOfText(lines.map(({ error }) => error?.reason ?? null)),
    ],
  )
}

/** `only`: the organisation of whose credit the asker sees the lists; null: all. */
export async function readList(
  run: Run,
  tenant: number,
  id: number,
  only: number | null = null,
): Promise<LoadList | null> {
  const [row] = await run(
    `SELECT ${columns} FROM load_lists WHERE tenant = $1 AND id = $2 AND ($3::integer IS NULL OR only_funder = $3)`,
    [tenant, id, only],
  )
  return row === undefined ? null : listOf(row)
}

export interface ListFilter {
  readonly state: ListState | null
  readonly source: ListSource | null
  readonly schedule: number | null
  readonly only: number | null
}

/** The newest first. */
export async function listLists(
  run: Run,
  tenant: number,
  filter: ListFilter,
  page: PageRequest,
): Promise<Page<LoadList>> {
  const rows = await run(
    `SELECT ${columns} FROM load_lists
     WHERE tenant = $1 AND id < coalesce($2::bigint, 9223372036854775807) AND ($3::text IS NULL OR state = $3)
       AND ($4::text IS NULL OR source = $4) AND ($5::bigint IS NULL OR schedule = $5)
       AND ($6::integer IS NULL OR only_funder = $6)
     ORDER BY id DESC LIMIT $7`,
    [tenant, page.after, filter.state, filter.source, filter.schedule, filter.only, page.limit + 1],
  )
  return pageOf(rows.map(listOf), page, ({ id }) => String(id))
}

export async function listLines(
  run: Run,
  tenant: number,
  list: number,
  state: LineState | null,
  page: PageRequest,
): Promise<Page<LoadLine>> {
  const rows = await run(
    `SELECT line, state, holder, shown, program, funder, amount, ${microsOf('expires_at')} AS expires_at, lot, field,
       reason
     FROM load_lines
     WHERE tenant = $1 AND list = $2 AND line > coalesce($3::integer, 0) AND ($4::smallint IS NULL OR state = $4)
     ORDER BY line LIMIT $5`,
    [tenant, list, page.after, state === null ? null : lineStates.indexOf(state), page.limit + 1],
  )
  return pageOf(rows.map(lineOf), page, ({ line }) => String(line))
}

const lineOf = (row: TextRow): LoadLine => ({
  line: idOf(row.line),
  state: lineStates[idOf(row.state)] as LineState,
  holder: idOrNull(row.holder),
  shown: row.shown ?? null,
  program: idOrNull(row.program),
  funder: idOrNull(row.funder),
  amount: row.amount == null ? null : BigInt(row.amount),
  expiresAt: idOrNull(row.expires_at),
  lot: idOrNull(row.lot),
  field: row.field ?? null,
  reason: (row.reason ?? null) as LoadLine['reason'],
})

const lockList = async (run: Run, tenant: number, id: number, only: number | null): Promise<LoadList | null> => {
  await run('SELECT FROM load_lists WHERE tenant = $1 AND id = $2 FOR UPDATE', [tenant, id])
  return readList(run, tenant, id, only)
}

/** Checks the lines of a list again, before it runs. */
export const checkList = (pool: AdminPool, change: Change<LoadList>, id: number, only: number | null) =>
  changeList(pool, change, { id, only, action: 'check' }, async (run, { state }) => {
    if (state !== 'checked') return refused('state_unsuitable')
    await run(patience)
    await checkLines(run, change.actor.tenant, id)
    return null
  })

/**
 * Lets the job run a list. One that runs or has run stays as it is. `checked`: the version that was looked at, so that
 * a list which was checked again since, and may come to more, does not run unseen; null: any.
 */
export const runList = (
  pool: AdminPool,
  change: Change<LoadList>,
  id: number,
  only: number | null,
  checked: number | null,
) =>
  changeList(pool, change, { id, only, action: 'run' }, async (run, { state, accepted, version }) => {
    if (state === 'running' || state === 'done') return null
    if (state !== 'checked' || accepted === 0) return refused('state_unsuitable')
    if (checked !== null && version !== checked) return refused('state_unsuitable')
    await run(
      `UPDATE load_lists SET state = 'running', version = version + 1, run_at = clock_timestamp(),
         resumed_at = clock_timestamp(), run_day = ${dayOfTime('clock_timestamp()')}
       WHERE tenant = $1 AND id = $2`,
      [change.actor.tenant, id],
    )
    return null
  })

/** Gives up a list that has not run: the same file may be sent again. */
export const cancelList = (pool: AdminPool, change: Change<LoadList>, id: number, only: number | null) =>
  changeList(pool, change, { id, only, action: 'cancel' }, async (run, { state }) => {
    if (state === 'cancelled') return null
    if (state !== 'checked') return refused('state_unsuitable')
    await run(`UPDATE load_lists SET state = 'cancelled', version = version + 1 WHERE tenant = $1 AND id = $2`, [
      change.actor.tenant,
      id,
    ])
    return null
  })

const changeList = (
  pool: AdminPool,
  change: Change<LoadList>,
  { id, only, action }: { id: number; only: number | null; action: string },
  write: Parameters<typeof changeOnce<LoadList>>[3]['write'],
): Promise<Changed<LoadList>> =>
  changeOnce(pool, { ...listEntity, id: String(id), action }, change, {
    read: run => lockList(run, change.actor.tenant, id, only),
    write,
  })
