import type { Run } from './pool.ts'

/**
 * What names a holder, as a lookup of each kind. Only the branch of the line's own kind is run: a filter without a
 * column of the table stands in front of each.
 */
const holdersOf = `
  SELECT p.holder FROM cardholder_profiles p
    WHERE l.by = 0 AND p.tenant = $1 AND p.reference = CASE WHEN l.by = 0 THEN convert_from(l.key, 'UTF8') END
  UNION SELECT c.holder FROM cards c
    WHERE l.by = 1 AND c.tenant = $1 AND c.token = CASE WHEN l.by = 1 THEN encode(l.key, 'hex')::uuid END
  UNION SELECT p.holder FROM cardholder_profiles p WHERE l.by = 2 AND p.tenant = $1 AND p.national_hash = l.key
  UNION SELECT p.holder FROM cardholder_profiles p
    WHERE l.by = 3 AND p.tenant = $1 AND p.mobile = CASE WHEN l.by = 3 THEN convert_from(l.key, 'UTF8') END`

/**
 * Judges every line that is not wrong in itself, as the tenant stands now, in the order of the lines; then counts. The
 * transaction has the list locked.
 */
export async function checkLines(run: Run, tenant: number, list: number): Promise<void> {
  await run(
    `WITH named AS (
       SELECT l.line, l.amount, l.program, l.funder, l.expires_at, h.holder, coalesce(h.holders, 0) AS holders
       FROM load_lines l CROSS JOIN LATERAL (SELECT min(x.holder) AS holder, count(*) AS holders FROM (${holdersOf}) x) h
       WHERE l.tenant = $1 AND l.list = $2 AND NOT l.is_fixed),
     ranked AS (
       SELECT named.*, p.status AS program_status, o.status AS funder_status,
         row_number() OVER (PARTITION BY named.holder, named.program ORDER BY line) AS place,
         CASE o.contract WHEN 'prepaid' THEN c.balance WHEN 'credit_line' THEN c.balance + o.credit_limit END AS funds
       FROM named JOIN programs p ON p.tenant = $1 AND p.id = named.program
       JOIN organisations o ON o.tenant = $1 AND o.id = named.funder
       LEFT JOIN organisation_counters c ON c.tenant = $1 AND c.organisation = o.id),
     judged AS (
       SELECT ranked.*, CASE
         WHEN holders = 0 THEN 'holder_unknown' WHEN holders > 1 THEN 'holder_ambiguous'
         WHEN program_status <> 'active' THEN 'program_closed'
         WHEN funder_status <> 'active' THEN 'organisation_suspended'
         WHEN expires_at <= clock_timestamp() THEN 'credit_expired'
         WHEN place > 1 THEN 'duplicate_in_file' END AS fault
       FROM ranked),
     funded AS (
       SELECT judged.*, sum(amount) FILTER (WHERE fault IS NULL) OVER (PARTITION BY funder ORDER BY line) AS so_far
       FROM judged),
     verdicts AS (
       SELECT line, holder, holders, coalesce(fault, CASE WHEN so_far > funds THEN 'funding_insufficient' END) AS reason
       FROM funded)
     UPDATE load_lines l SET state = CASE WHEN v.reason IS NULL THEN 0 ELSE 1 END,
       holder = CASE WHEN v.holders = 1 THEN v.holder END, reason = v.reason,
       field = CASE WHEN v.reason IS NULL THEN NULL WHEN v.reason IN ('program_closed', 'organisation_suspended') THEN 'program'
         WHEN v.reason = 'credit_expired' THEN 'expiry' WHEN v.reason = 'funding_insufficient' THEN 'amount'
         ELSE 'holder' END
     FROM verdicts v WHERE l.tenant = $1 AND l.list = $2 AND l.line = v.line`,
    [tenant, list],
  )
  await countLines(run, tenant, list)
}

/** Brings the totals of a list that has not run to what its lines are. */
export async function countLines(run: Run, tenant: number, list: number): Promise<void> {
  await run(
    `UPDATE load_lists SET checked_at = clock_timestamp(), version = version + 1, lines = c.lines,
       accepted = c.accepted, rejected = c.rejected, total = c.total
     FROM (SELECT count(*) AS lines, count(*) FILTER (WHERE state = 0) AS accepted,
         count(*) FILTER (WHERE state = 1) AS rejected, coalesce(sum(amount) FILTER (WHERE state = 0), 0) AS total
       FROM load_lines WHERE tenant = $1 AND list = $2) AS c
     WHERE load_lists.tenant = $1 AND id = $2`,
    [tenant, list],
  )
}
