import { bigints, dayOfId, integers, type Statement, statement, texts, uuids } from '../sql.ts'

/**
 * First half of a batch's first flight: BEGIN, the fence, and the locks in one fixed order. Each statement that follows
 * takes a fresh snapshot, so that what is read was committed before the locks were ours.
 */
export const begin: Statement = statement('begin', 'BEGIN')

/** Closing a settlement takes it exclusively, and so waits for the batches under way. The class is any fixed number. */
export const fenceClass = 8583

export const fence = (tenant: number): Statement =>
  statement('fence', `SELECT pg_advisory_xact_lock_shared(${fenceClass}, $1::integer)`, [tenant])

/**
 * Locks names that have no row to lock yet: keys of API clients (stored under the day on which they are first seen, so
 * that around midnight two copies would not meet on one row), and bill numbers.
 */
export const lockNames = (names: readonly string[]): Statement =>
  statement(
    'lock_names',
    `SELECT pg_advisory_xact_lock(name)
     FROM (SELECT DISTINCT hashtextextended(text, 0) AS name FROM unnest($1::text[]) AS text
       ORDER BY name OFFSET 0) AS x`,
    [texts(names)],
  )

export interface HolderSources {
  readonly tenant: number
  /** Holders that are known already, of whom it does not matter what their limits have counted. */
  readonly holders: readonly number[]
  /** And those of whom it does. */
  readonly countedHolders: readonly number[]
  readonly tokens: readonly string[]
  /** Transaction ids, and the keys (with their days) that opened or moved one. */
  readonly ids: readonly number[]
  readonly keys: readonly string[]
  readonly days: readonly number[]
}

/** The tenant goes in as a column of each row: as a constant it makes the planner scan a table without statistics. */
const knownHolders = `
      SELECT $1::integer AS tenant, known AS holder, false AS is_counted FROM unnest($2::bigint[]) AS known
      UNION ALL
      SELECT $1::integer, known, true FROM unnest($3::bigint[]) AS known
      UNION ALL
      SELECT c.tenant, c.holder, true
      FROM (SELECT $1::integer AS tenant, token FROM unnest($4::uuid[]) AS token OFFSET 0) AS x
      JOIN cards c ON c.tenant = x.tenant AND c.token = x.token`

const holdersOfOriginals = `
      UNION ALL
      SELECT t.tenant, t.holder, true
      FROM (SELECT $1::integer AS tenant, id, ${dayOfId('id')} AS day FROM unnest($5::bigint[]) AS id OFFSET 0) AS x
      JOIN transactions t ON t.tenant = x.tenant AND t.day = x.day AND t.id = x.id
      UNION ALL
      SELECT t.tenant, t.holder, true
      FROM (SELECT $1::integer AS tenant, key, day FROM unnest($6::uuid[], $7::integer[]) AS u(key, day) OFFSET 0) AS x
      JOIN decisions d ON d.tenant = x.tenant AND d.day = x.day AND d.key = x.key
      JOIN transactions t ON t.tenant = d.tenant AND t.day = ${dayOfId('d.txn')} AND t.id = d.txn`

const lockHoldersText = (sources: string, wait: '' | 'SKIP LOCKED'): string => `
  SELECT h.id, h.ctid, CASE WHEN x.is_counted THEN coalesce(h.usage, '{}') END FROM (${sources}
    OFFSET 0
  ) AS x
  JOIN cardholders h ON h.tenant = x.tenant AND h.id = x.holder
  ORDER BY h.id FOR NO KEY UPDATE OF h ${wait}`

const textsOf = (sources: string) => ({
  wait: lockHoldersText(sources, ''),
  skip: lockHoldersText(sources, 'SKIP LOCKED'),
})
const lockKnownTexts = textsOf(knownHolders)
const lockFoundTexts = textsOf(knownHolders + holdersOfOriginals)

/**
 * Locks the rows of all holders concerned, in the order of their ids, and tells which, where each row is, and
 * what the limits have counted if it matters (of a locked row the latest version is told). A holder may be there twice.
 * `skip`: leaves held ones out. Originals are only looked for where there are any: that opens every partition.
 */
export function lockHolders(sources: HolderSources, mode: 'wait' | 'skip'): Statement {
  const { tenant, holders, countedHolders, tokens, ids, keys, days } = sources
  const known = [tenant, bigints(holders), bigints(countedHolders), uuids(tokens)]
  if (ids.length === 0 && keys.length === 0) return statement(`lock_holders_${mode}`, lockKnownTexts[mode], known)
  const originals = [bigints(ids), uuids(keys), integers(days)]
  return statement(`lock_holders_of_originals_${mode}`, lockFoundTexts[mode], [...known, ...originals])
}

/**
 * Locks the counters of organisations, after the holders: those that are named, and those that have funded credit of
 * these cards in programs with limits of organisations. `skip`: leaves held ones out.
 */
export const lockOrganisations = (
  tenant: number,
  organisations: readonly number[],
  tokens: readonly string[],
  programs: readonly number[],
  mode: 'wait' | 'skip' = 'wait',
): Statement =>
  statement(
    mode === 'wait' ? 'lock_organisations' : 'lock_organisations_skip',
    `SELECT o.organisation, o.balance, o.usage FROM (
       SELECT DISTINCT tenant, organisation FROM (
         SELECT $1::integer AS tenant, organisation FROM unnest($2::integer[]) AS organisation
         UNION ALL
         SELECT l.tenant, l.funder
         FROM (SELECT $1::integer AS tenant, token FROM unnest($3::uuid[]) AS token OFFSET 0) AS x
         JOIN cards c ON c.tenant = x.tenant AND c.token = x.token
         JOIN lots l ON l.tenant = c.tenant AND l.holder = c.holder AND l.program = ANY ($4::integer[])
       ) AS found OFFSET 0
     ) AS x
     JOIN organisation_counters o ON o.tenant = x.tenant AND o.organisation = x.organisation
     ORDER BY o.organisation FOR NO KEY UPDATE OF o ${mode === 'skip' ? 'SKIP LOCKED' : ''}`,
    [tenant, integers(organisations), uuids(tokens), integers(programs)],
  )
