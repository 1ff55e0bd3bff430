import {
  type Actor,
  type Change,
  type Changed,
  type Created,
  type Creation,
  type Page,
  type PageRequest,
  refused,
} from '../../core/admin.ts'
import type { NewSeries, VoucherSeries } from '../../core/vouchers.ts'
import { arrayOf, arrayOfText, dayOfTime, idOf, idOrNull, microsOf } from '../sql.ts'
import { writeAudit } from './audit-log.ts'
import { changeOnce, codeTaken, createOnce } from './changes.ts'
import { countLines } from './load-checks.ts'
import { patience } from './load-lists.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'
import { insertProgram, readProgram } from './programs.ts'
import { insertTerms, refusalOfCodes } from './terms.ts'

const entity = { name: 'voucher-series', isReference: true } as const

const cardsPerStatement = 5_000

const selectText = `SELECT s.id, s.version, s.name, p.code AS program, o.code AS funder, s.count, s.amount,
    s.valid_from, s.valid_until, s.list, l.loaded, ${microsOf('s.sealed_at')} AS sealed_at, s.actor,
    ${microsOf('s.made_at')} AS made_at
  FROM voucher_series s JOIN programs p ON p.tenant = s.tenant AND p.id = s.program
  JOIN organisations o ON o.tenant = s.tenant AND o.id = s.funder
  JOIN load_lists l ON l.tenant = s.tenant AND l.id = s.list`

const seriesOf = (row: TextRow): VoucherSeries => ({
  id: idOf(row.id),
  version: idOf(row.version),
  name: row.name as string,
  program: row.program as string,
  funder: row.funder as string,
  count: idOf(row.count),
  amount: BigInt(row.amount as string),
  validFrom: idOrNull(row.valid_from),
  validUntil: idOf(row.valid_until),
  list: idOf(row.list),
  loaded: idOf(row.loaded),
  sealedAt: idOrNull(row.sealed_at),
  actor: row.actor as string,
  madeAt: idOf(row.made_at),
})

/** A program of their own with its terms, a bearer and a card for each voucher, and a list that loads them. */
export function createSeries(pool: AdminPool, creation: Creation<VoucherSeries>, series: NewSeries): Promise<Created> {
  const { tenant, apiKey, label } = creation.actor
  return createOnce(pool, entity, creation, async run => {
    await run(patience)
    if ((await readProgram(run, tenant, series.program.code)) !== null) return codeTaken('/program')
    const unknown = await refusalOfCodes(run, tenant, series.terms)
    if (unknown !== null) return unknown
    const program = await insertProgram(run, tenant, series.program)
    await insertTerms(run, { tenant, label, program, terms: series.terms })
    const [ids] = await run("SELECT nextval('voucher_series_seq') AS id, nextval('load_list_seq') AS list")
    const [id, list] = [idOf(ids?.id), idOf(ids?.list)]
    await run(
      `INSERT INTO load_lists (id, made_at, tenant, kind, source, state, name, program, funder, only_funder, series,
         made_by, actor, run_at, resumed_at, run_day)
       SELECT $2, at, $1, 'load', 'vouchers', 'running', $3, $4, $5, $5, $6, $7, $8, at, at,
         ${dayOfTime('at')} FROM (SELECT clock_timestamp() AS at) x`,
      [tenant, list, series.name, program.id, series.funder, id, apiKey, label],
    )
    await run(
      `INSERT INTO voucher_series (id, made_at, tenant, name, program, funder, count, amount, valid_from, valid_until,
         list, salt, made_by, actor)
       VALUES ($2, clock_timestamp(), $1, $3, $4, $5, $6, $7, $8, $9, $10, decode($11, 'hex'), $12, $13)`,
      [
        tenant,
        id,
        series.name,
        program.id,
        series.funder,
        series.count,
        series.amount,
        series.validFrom,
        series.validUntil,
        list,
        series.salt,
        apiKey,
        label,
      ],
    )
    for (let from = 1; from <= series.count; from += cardsPerStatement) {
      const count = Math.min(cardsPerStatement, series.count - from + 1)
      await insertVouchers(run, tenant, { list, program: program.id, from, count }, series)
    }
    await countLines(run, tenant, list)
    const item = (await readSeries(run, tenant, id, null)) as VoucherSeries
    return { kind: 'made', item, id: String(id), version: item.version }
  })
}

/** Vouchers have no holder but whoever has the code: each gets an account that nobody else has. */
async function insertVouchers(
  run: Run,
  tenant: number,
  { list, program, from, count }: { list: number; program: number; from: number; count: number },
  { funder, amount, cardOf }: NewSeries,
): Promise<void> {
  const cards = Array.from({ length: count }, (_, index) => cardOf(from + index))
  await run(
    `WITH given AS (
       SELECT nextval('holder_seq') AS holder, token, last4, place
       FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS u(token, last4, place)),
     holders AS (INSERT INTO cardholders (tenant, id) SELECT $1, holder FROM given),
     made AS (
       INSERT INTO cards (token, holder, tenant, status, last4, kind, program, issued_at)
       SELECT token, holder, $1, 0, last4, 2, $5, clock_timestamp() FROM given)
     INSERT INTO load_lines (tenant, list, line, state, by, holder, shown, amount, program, funder)
     SELECT $1, $4, $6 + place - 1, 0, 4, holder, '…' || last4, $8, $5, $7 FROM given`,
    [
      tenant,
      arrayOf(cards.map(({ token }) => token)),
      arrayOfText(cards.map(({ last4 }) => last4)),
      list,
      program,
      from,
      funder,
      amount,
    ],
  )
}

/** `only`: the organisation that the asker speaks for; null: all. */
export async function readSeries(
  run: Run,
  tenant: number,
  id: number,
  only: number | null,
): Promise<VoucherSeries | null> {
  const [row] = await run(
    `${selectText} WHERE s.tenant = $1 AND s.id = $2 AND ($3::integer IS NULL OR s.funder = $3)`,
    [tenant, id, only],
  )
  return row === undefined ? null : seriesOf(row)
}

export async function listSeries(
  run: Run,
  tenant: number,
  only: number | null,
  page: PageRequest,
): Promise<Page<VoucherSeries>> {
  const rows = await run(
    `${selectText} WHERE s.tenant = $1 AND s.id < coalesce($2::bigint, 9223372036854775807)
       AND ($3::integer IS NULL OR s.funder = $3) ORDER BY s.id DESC LIMIT $4`,
    [tenant, page.after, only, page.limit + 1],
  )
  return pageOf(rows.map(seriesOf), page, ({ id }) => String(id))
}

type Salt = { readonly kind: 'salt'; readonly salt: string }

/** What the codes of a series are made from; that somebody has asked for them is logged. */
export function takeSalt(pool: AdminPool, actor: Actor, id: number): Promise<Salt | { readonly kind: 'not_found' }> {
  return pool.transaction(async (run): Promise<Salt | { readonly kind: 'not_found' }> => {
    const [row] = await run(`SELECT encode(salt, 'hex') AS salt FROM voucher_series WHERE tenant = $1 AND id = $2`, [
      actor.tenant,
      id,
    ])
    if (row?.salt == null) return { kind: 'not_found' }
    await writeAudit(run, actor, {
      action: 'read_codes',
      entity: entity.name,
      entityId: String(id),
      before: null,
      after: null,
    })
    return { kind: 'salt', salt: row.salt }
  })
}

/** Forgets what the codes are made from: from now on they are only where they were read to. */
export function sealSeries(
  pool: AdminPool,
  change: Change<VoucherSeries>,
  id: number,
  only: number | null,
): Promise<Changed<VoucherSeries>> {
  const { tenant } = change.actor
  return changeOnce(pool, { ...entity, isReference: false, id: String(id), action: 'seal' }, change, {
    read: async run => {
      await run('SELECT FROM voucher_series WHERE tenant = $1 AND id = $2 FOR UPDATE', [tenant, id])
      return readSeries(run, tenant, id, only)
    },
    write: async (run, { sealedAt }) => {
      if (sealedAt !== null) return refused('state_unsuitable')
      await run(
        `UPDATE voucher_series SET salt = NULL, sealed_at = clock_timestamp(), version = version + 1
         WHERE tenant = $1 AND id = $2`,
        [tenant, id],
      )
      return null
    },
  })
}
