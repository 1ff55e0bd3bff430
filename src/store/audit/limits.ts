import type pg from 'pg'
import type { Catalog, Program } from '../../core/catalog.ts'
import type { Micros } from '../../core/ids.ts'
import { localTimeOf, startOfDay } from '../../core/local-time.ts'
import { type Limit, termsAt } from '../../core/terms.ts'
import { countersOf } from '../../core/usage.ts'
import { readCatalogs } from '../catalog.ts'
import { openPool } from '../pool.ts'
import { arrayOf, dayOfId, idOf, microsOf } from '../sql.ts'
import type { Check } from './check.ts'

/** A limit that holds now, and what of its present windows can be counted again. */
interface Recount {
  readonly tenant: number
  /** Null: whatever a holder spends. */
  readonly program: number | null
  readonly isOfOrganisation: boolean
  /** Its counter at merchant 0. */
  readonly counter: number
  /** Windows from the one to the other count now. */
  readonly since: number
  readonly window: number
  /** Purchases before it are in none of them. */
  readonly sinceAt: Micros
  /** Minutes; of rolling limits, whose windows are named by minutes. Null: of all others. */
  readonly step: number | null
  /** Windows with a purchase before it are left out: the limit was new then. */
  readonly countsFrom: Micros
}

const microsPerMinute = 60_000_000
const microsPerDay = 86_400_000_000
/** By then all switches know of other terms. */
const lagMicros = microsPerMinute
/** The counter of a limit over single merchants, at merchant 1. */
const merchantSpan = 2 ** 25

/**
 * What limits have counted, counted again from the transactions: in the windows of now, which no approval has dropped
 * yet. `changedAt`: when the tenant's time zone or calendar was changed last, which has moved its windows.
 */
function recountsOf(catalog: Catalog, at: Micros, changedAt: Micros | null): Recount[] {
  const { tenant } = catalog
  const local = localTimeOf(at, tenant)
  const recounts = new Map<number, Recount>()
  for (const program of catalog.programsById.values()) {
    for (const limit of termsAt(program, at).limits) {
      const [counter] = countersOf([limit], program.id, 0, local, catalog)
      if (counter === undefined) continue
      const { id, window, since } = counter
      const sinceAt = firstMoment(limit, since, tenant.timeZone)
      const isMoved = changedAt !== null && !['hours', 'lifetime'].includes(limit.per)
      if (isMoved && sinceAt < changedAt + microsPerDay) continue
      const countsFrom = heldSince(program, limit, at) + lagMicros
      const known = recounts.get(id)
      if (known !== undefined && known.countsFrom <= countsFrom) continue
      recounts.set(id, {
        ...{ tenant: tenant.id, program: limit.of === 'holder' ? null : program.id },
        ...{ isOfOrganisation: limit.of === 'organisation', counter: id, since, window, sinceAt },
        ...{ step: limit.per === 'hours' ? limit.hours : null, countsFrom },
      })
    }
  }
  return [...recounts.values()]
}

function firstMoment({ per }: Limit, since: number, timeZone: string): Micros {
  if (per === 'lifetime') return 0
  return per === 'hours' ? since * microsPerMinute : startOfDay(since, timeZone)
}

/** Since when the terms of a program have had this limit without a break, whatever its amount or count was. */
function heldSince(program: Program, limit: Limit, at: Micros): Micros {
  const isSame = (one: Limit): boolean => one.of === limit.of && one.per === limit.per && one.hours === limit.hours
  const starts = program.versions.map(({ startsAt }) => startsAt).filter(startsAt => startsAt <= at)
  let since = at
  for (const start of starts.sort((one, other) => other - one)) {
    if (!termsAt(program, start).limits.some(isSame)) break
    since = start
  }
  return since
}

const digits36 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
/** The switch's own retrieval reference number of a transaction: year, day of the year, and the rest in base 36. */
const rrnSql = (id: string): string => {
  const digits = [7, 6, 5, 4, 3, 2, 1, 0].map(
    place => `substr('${digits36}', ((${id} & 549755813887) / ${36 ** place}::bigint % 36)::integer + 1, 1)`,
  )
  return `to_char(date '1970-01-01' + ${dayOfId(id)}, 'YDDD') || ${digits.join(' || ')}`
}

async function prepare(client: pg.Client, url: string): Promise<void> {
  const { rows: times } = await client.query<{ tenant: string; at: string; changed_at: string | null }>(
    `SELECT t.id::text AS tenant, ${microsOf('clock_timestamp()')}::text AS at,
       (SELECT ${microsOf('max(l.at)')} FROM audit_log l WHERE l.tenant = t.id AND l.entity = 'tenant'
          AND (l.before ->> 'timeZone', l.before ->> 'calendar')
            IS DISTINCT FROM (l.after ->> 'timeZone', l.after ->> 'calendar'))::text AS changed_at
     FROM tenants t`,
  )
  const pool = openPool(url, { connectionsMax: 1 })
  const catalogs = await readCatalogs(pool).finally(() => pool.end())
  const recounts = times.flatMap(({ tenant, at, changed_at }) => {
    const catalog = catalogs.get(idOf(tenant))
    return catalog === undefined ? [] : recountsOf(catalog, idOf(at), changed_at === null ? null : idOf(changed_at))
  })
  await client.query(
    `CREATE TEMPORARY TABLE recounts (tenant integer, program integer, is_of_organisation boolean, counter bigint,
       since bigint, until bigint, since_at bigint, step integer, counts_from bigint) ON COMMIT DROP`,
  )
  await client.query(
    `INSERT INTO recounts SELECT * FROM unnest($1::integer[], $2::integer[], $3::boolean[], $4::bigint[], $5::bigint[],
       $6::bigint[], $7::bigint[], $8::integer[], $9::bigint[])`,
    [
      arrayOf(recounts.map(({ tenant }) => tenant)),
      arrayOf(recounts.map(({ program }) => program)),
      arrayOf(recounts.map(({ isOfOrganisation }) => isOfOrganisation)),
      arrayOf(recounts.map(({ counter }) => counter)),
      arrayOf(recounts.map(({ since }) => since)),
      arrayOf(recounts.map(({ window }) => window)),
      arrayOf(recounts.map(({ sinceAt }) => sinceAt)),
      arrayOf(recounts.map(({ step }) => step)),
      arrayOf(recounts.map(({ countsFrom }) => countsFrom)),
    ],
  )
  const sinceAt = recounts.reduce((first, one) => Math.min(first, one.sinceAt), Number.MAX_SAFE_INTEGER)
  // A refund is as old as its purchase or younger. What a terminal's late reverse gave back has been given back.
  await client.query(
    `CREATE TEMPORARY TABLE spent ON COMMIT DROP AS
     SELECT tenant, purchase, holder, merchant, at, legs[leg * 5 + 2]::integer AS program,
       legs[leg * 5 + 3]::integer AS funder, legs[leg * 5 + 4] + legs[leg * 5 + 5] AS amount
     FROM (
       SELECT t.tenant, coalesce(p.id, t.id) AS purchase, t.holder, t.merchant, t.legs,
         ${microsOf('coalesce(p.at, t.at)')} AS at
       FROM transactions t LEFT JOIN transactions p
         ON t.kind = 2 AND p.tenant = t.tenant AND p.id = t.original AND p.day = ${dayOfId('t.original')}
       WHERE t.legs IS NOT NULL AND ${microsOf('t.at')} >= ${sinceAt}
         AND NOT (t.kind = 2 AND t.rrn IS NOT NULL AND t.rrn = ${rrnSql('t.id')})) AS t
     CROSS JOIN LATERAL generate_series(0, cardinality(legs) / 5 - 1) AS leg`,
  )
  await client.query('ANALYZE recounts, spent')
}

const usage = `
  SELECT s.tenant, s.is_of_organisation, s.owner, s.usage[i * 4 + 1] AS counter, s.usage[i * 4 + 2] AS since,
    s.usage[i * 4 + 3] AS amount, s.usage[i * 4 + 4] AS count
  FROM (SELECT tenant, false AS is_of_organisation, id AS owner, usage FROM cardholders
    UNION ALL SELECT tenant, true, organisation, usage FROM organisation_counters) AS s
  CROSS JOIN LATERAL generate_series(0, cardinality(s.usage) / 4 - 1) AS i
  WHERE s.usage IS NOT NULL`

/** The limits of holders and of all else apart: joined by equal columns only, however many there are. */
const counted = `
  SELECT r.tenant, r.is_of_organisation, s.holder, s.funder, s.merchant, s.purchase, s.at, s.amount, r.counter, r.step,
    r.since, r.since_at, r.counts_from
  FROM spent s JOIN recounts r ON r.tenant = s.tenant AND r.program = s.program
  UNION ALL
  SELECT r.tenant, r.is_of_organisation, s.holder, s.funder, s.merchant, s.purchase, s.at, s.amount, r.counter, r.step,
    r.since, r.since_at, r.counts_from
  FROM spent s JOIN recounts r ON r.tenant = s.tenant WHERE r.program IS NULL`

/** What limits have counted, against what is held, spent or refunded of the purchases in their windows. */
export const limitsCheck = (url: string): Check => ({
  name: 'every limit has counted what is in force',
  prepare: client => prepare(client, url),
  of: `SELECT count(*) FROM (${usage}) AS u`,
  // Of a purchase that was given back in parts some may be counted although nothing is left; none is left out.
  wrong: `
    WITH again AS (
      SELECT tenant, is_of_organisation, CASE WHEN is_of_organisation THEN funder ELSE holder END AS owner,
        counter + CASE WHEN counter / 8 % 4 = 2 THEN merchant * ${merchantSpan}::bigint ELSE 0 END AS counter,
        sum(amount) AS amount, count(DISTINCT purchase) FILTER (WHERE amount > 0) AS purchases, min(at) AS first_at,
        max(counts_from) AS counts_from
      FROM (${counted}) AS c
      WHERE at >= since_at
        AND (step IS NULL OR at / ${microsPerMinute} - at / ${microsPerMinute} % step >= since)
      GROUP BY 1, 2, 3, 4),
    kept AS (
      SELECT u.tenant, u.is_of_organisation, u.owner, u.counter, sum(u.amount) AS amount, sum(u.count) AS purchases
      FROM (${usage}) AS u
      JOIN recounts r ON r.tenant = u.tenant AND r.is_of_organisation = u.is_of_organisation
        AND r.counter = u.counter % ${merchantSpan}
      WHERE u.since BETWEEN r.since AND r.until GROUP BY 1, 2, 3, 4)
    SELECT DISTINCT coalesce(k.tenant, a.tenant) || '/'
      || CASE WHEN coalesce(k.is_of_organisation, a.is_of_organisation) THEN 'organisation ' ELSE 'cardholder ' END
      || coalesce(k.owner, a.owner)
    FROM kept k FULL JOIN again a ON a.tenant = k.tenant AND a.is_of_organisation = k.is_of_organisation
      AND a.owner = k.owner AND a.counter = k.counter
    WHERE (coalesce(k.amount, 0) <> coalesce(a.amount, 0) OR coalesce(k.purchases, 0) < coalesce(a.purchases, 0))
      AND (a.first_at IS NULL OR a.first_at >= a.counts_from)`,
})
