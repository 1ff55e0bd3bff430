import { chainLineSql } from '../batch/chain.ts'
import { commandCodeOf } from '../batch/codes.ts'
import { dayOfId, microsOf } from '../sql.ts'
import type { Check } from './check.ts'

/** The ledger's rows, one a posting, for folding: read once and used by several checks. */
export const makeMovements = `
  CREATE TEMPORARY TABLE movements ON COMMIT DROP AS
  SELECT * FROM (
    SELECT d.tenant, d.batch_seq, d.at, d.idx, d.txn, d.kind, d.reason, d.legs[leg * 5 + 1] AS debit,
      d.legs[leg * 5 + 2] AS credit, d.legs[leg * 5 + 3] AS pending, d.legs[leg * 5 + 4] AS posted
    FROM decisions d CROSS JOIN LATERAL generate_series(0, cardinality(d.legs) / 5 - 1) AS leg) AS legs
  WHERE pending <> 0 OR posted <> 0`

const lotFold = `
  SELECT tenant, lot, sum(debits_pending) AS debits_pending, sum(debits_posted) AS debits_posted,
    sum(credits_pending) AS credits_pending, sum(credits_posted) AS credits_posted
  FROM (SELECT tenant, debit AS lot, pending AS debits_pending, posted AS debits_posted, 0 AS credits_pending,
      0 AS credits_posted FROM movements WHERE debit > 0
    UNION ALL SELECT tenant, credit, 0, 0, pending, posted FROM movements WHERE credit > 0) AS sides
  GROUP BY tenant, lot`

const isApproval = 'reason IN (0, 1)'

/** The invariants of the ledger, in the order in which they are told. */
export const ledgerChecks: readonly Check[] = [
  {
    name: 'postings are between accounts of one asset',
    of: 'SELECT count(*) FROM movements',
    wrong: `
      WITH all_accounts AS (
        SELECT tenant, id, asset FROM accounts UNION ALL SELECT tenant, lot, asset FROM lots)
      SELECT m.tenant || '/' || m.batch_seq || '.' || m.idx FROM movements m
      LEFT JOIN all_accounts d ON d.tenant = m.tenant AND d.id = m.debit
      LEFT JOIN all_accounts c ON c.tenant = m.tenant AND c.id = m.credit
      WHERE d.asset IS NULL OR c.asset IS NULL OR d.asset <> c.asset`,
  },
  {
    name: 'every lot is the fold of its postings',
    of: 'SELECT count(*) FROM lots',
    wrong: `
      SELECT l.tenant || '/' || l.lot FROM lots l LEFT JOIN (${lotFold}) f USING (tenant, lot)
      WHERE (l.debits_pending, l.debits_posted, l.credits_pending, l.credits_posted)
        <> (coalesce(f.debits_pending, 0), coalesce(f.debits_posted, 0), coalesce(f.credits_pending, 0),
          coalesce(f.credits_posted, 0))`,
  },
  {
    name: 'every organisation has left what its postings leave',
    of: 'SELECT count(*) FROM organisation_counters',
    wrong: `
      SELECT o.tenant || '/' || o.id FROM organisations o
      LEFT JOIN organisation_counters c ON c.tenant = o.tenant AND c.organisation = o.id
      LEFT JOIN (
        SELECT tenant, account, sum(change) AS balance
        FROM (SELECT tenant, credit AS account, posted AS change FROM movements WHERE credit < 0
          UNION ALL SELECT tenant, debit, -posted FROM movements WHERE debit < 0) AS sides
        GROUP BY tenant, account) AS f ON f.tenant = o.tenant AND f.account = o.account
      WHERE c.balance IS DISTINCT FROM coalesce(f.balance, 0)`,
  },
  {
    name: 'every change of a lot that is no purchase has its reason, and the other way round',
    of: 'SELECT count(*) FROM lot_movements',
    wrong: `
      WITH posted AS (
        SELECT tenant, batch_seq, idx, lot, sum(change) AS amount
        FROM (SELECT tenant, batch_seq, idx, credit AS lot, posted AS change FROM movements
            WHERE credit > 0 AND txn IS NULL
          UNION ALL SELECT tenant, batch_seq, idx, debit, -posted FROM movements WHERE debit > 0 AND txn IS NULL) AS s
        GROUP BY tenant, batch_seq, idx, lot)
      SELECT coalesce(p.tenant, n.tenant) || '/' || coalesce(p.lot, n.lot) FROM posted p
      FULL JOIN (SELECT * FROM lot_movements) AS n USING (tenant, batch_seq, idx, lot)
      WHERE coalesce(p.amount, 0) <> coalesce(n.amount, 0)`,
  },
  {
    name: 'every deposit is in the list of its organisation, and the other way round',
    of: 'SELECT count(*) FROM organisation_movements',
    // Of what was deposited before there was a list only that is in it which the audit log knew.
    wrong: `
      WITH sides AS (
        SELECT tenant, batch_seq, idx, at, credit AS account, posted AS amount FROM movements
        WHERE kind = ${commandCodeOf('deposit')}
        UNION ALL SELECT tenant, batch_seq, idx, at, debit, -posted FROM movements
        WHERE kind = ${commandCodeOf('deposit')}),
      deposits AS (
        SELECT s.tenant, o.id AS organisation, s.batch_seq, s.idx, s.at, s.amount FROM sides s
        JOIN organisations o ON o.tenant = s.tenant AND o.account = s.account)
      SELECT coalesce(d.tenant, n.tenant) || '/' || coalesce(d.batch_seq, n.batch_seq) || '.' || coalesce(d.idx, n.idx)
      FROM deposits d
      FULL JOIN (SELECT * FROM organisation_movements) AS n USING (tenant, organisation, batch_seq, idx)
      WHERE d.amount IS DISTINCT FROM n.amount
        AND (n.amount IS NOT NULL OR d.at > (SELECT at FROM migrations WHERE name = '0010_deposits.sql'))`,
  },
  {
    name: 'every posting on a lot has its lot',
    of: 'SELECT count(*) FROM movements',
    wrong: `SELECT f.tenant || '/' || f.lot FROM (${lotFold}) f LEFT JOIN lots l USING (tenant, lot)
      WHERE l.lot IS NULL`,
  },
  {
    name: 'no lot was beyond its limit, at any version',
    of: 'SELECT count(*) FROM movements',
    wrong: `
      SELECT DISTINCT tenant || '/' || lot FROM (
        SELECT s.tenant, s.lot, l.credit_limit + sum(s.change) OVER (PARTITION BY s.tenant, s.lot
          ORDER BY s.batch_seq, s.idx) AS available
        FROM (SELECT tenant, debit AS lot, batch_seq, idx, -(pending + posted) AS change FROM movements WHERE debit > 0
          UNION ALL SELECT tenant, credit, batch_seq, idx, posted FROM movements WHERE credit > 0) AS s
        JOIN lots l USING (tenant, lot)) AS versions
      WHERE available < 0`,
  },
  {
    name: 'every hold adds up: captured + released + open',
    of: 'SELECT count(*) FROM transactions',
    wrong: `
      WITH legs AS (
        SELECT t.tenant, t.id, t.phase, t.kind, t.authorized, t.confirmed, t.reversed, t.refunded,
          coalesce(l.held, 0) AS held, coalesce(l.posted, 0) AS posted
        FROM transactions t CROSS JOIN LATERAL (
          SELECT sum(t.legs[leg * 5 + 4]) AS held, sum(t.legs[leg * 5 + 5]) AS posted
          FROM generate_series(0, cardinality(t.legs) / 5 - 1) AS leg) AS l),
      folds AS (
        SELECT tenant, txn AS id, sum(pending) AS held, sum(CASE WHEN debit > 0 THEN posted ELSE -posted END) AS net,
          sum(CASE WHEN kind IN (0, 1) THEN posted ELSE 0 END) AS captured
        FROM movements WHERE txn IS NOT NULL GROUP BY tenant, txn)
      SELECT l.tenant || '/' || l.id FROM legs l LEFT JOIN folds f USING (tenant, id)
      WHERE l.held <> coalesce(f.held, 0)
        OR l.posted + (CASE WHEN l.kind = 2 THEN 0 ELSE l.refunded END)
          <> abs(coalesce(f.net, 0)) OR (l.kind <> 2 AND l.confirmed <> coalesce(f.captured, 0))
        OR (l.phase <> 1 AND l.held <> 0) OR (l.phase IN (0, 3, 4) AND l.posted <> 0)
        OR l.confirmed > l.authorized OR (l.phase = 2 AND l.confirmed = 0)`,
  },
  {
    name: 'no hold is resolved twice, none captured after it ran out',
    of: 'SELECT count(*) FROM transactions WHERE expires_at IS NOT NULL',
    wrong: `
      SELECT d.tenant || '/' || d.txn
      FROM (SELECT DISTINCT tenant, txn, batch_seq, idx, kind, at FROM movements
        WHERE kind IN (1, 4) AND ${isApproval} AND txn IS NOT NULL) AS d
      JOIN transactions t ON t.tenant = d.tenant AND t.id = d.txn AND t.day = ${dayOfId('d.txn')}
      GROUP BY d.tenant, d.txn
      HAVING count(*) > 1 OR bool_or(d.kind = 1 AND d.at > t.expires_at)`,
  },
  {
    name: 'every approval has its transaction, every refusal no effect',
    of: 'SELECT count(*) FROM decisions',
    wrong: `
      SELECT d.tenant || '/' || d.key FROM decisions d
      LEFT JOIN transactions t ON t.tenant = d.tenant AND t.day = ${dayOfId('d.txn')} AND t.id = d.txn
      WHERE d.txn IS NOT NULL AND t.id IS NULL
      UNION ALL
      SELECT m.tenant || '/' || m.batch_seq || '.' || m.idx FROM movements m WHERE NOT m.${isApproval}`,
  },
  {
    name: 'every transaction was opened by one decision',
    of: 'SELECT count(*) FROM transactions',
    wrong: `
      WITH openings AS (
        SELECT d.tenant, d.txn AS id, count(*) AS n FROM decisions d
        JOIN transactions t ON t.tenant = d.tenant AND t.day = ${dayOfId('d.txn')} AND t.id = d.txn
        WHERE d.at = t.at AND d.kind IN (0, 3, 2) AND (d.kind <> 2 OR t.kind = 2) AND (d.kind <> 3 OR d.${isApproval})
        GROUP BY d.tenant, d.txn)
      SELECT t.tenant || '/' || t.id FROM transactions t LEFT JOIN openings o USING (tenant, id)
      WHERE coalesce(o.n, 0) = 0`,
  },
  {
    name: 'every confirmed transaction is in at most one settlement',
    of: 'SELECT count(*) FROM settlement_lines',
    wrong: `SELECT tenant || '/' || txn FROM settlement_lines GROUP BY tenant, txn HAVING count(*) > 1`,
  },
  {
    name: 'every settlement takes what its watermark says, and adds up',
    of: 'SELECT count(*) FROM settlements WHERE posted_at IS NOT NULL',
    wrong: `
      WITH closed AS (
        SELECT s.tenant, s.id, c.payable AS account, s.after_batch, s.up_to_batch, s.posted_at FROM settlements s
        JOIN merchants c ON c.tenant = s.tenant AND c.id = s.merchant),
      sides AS (
        SELECT tenant, credit AS account, batch_seq, txn, posted FROM movements WHERE credit < 0 AND txn IS NOT NULL
        UNION ALL SELECT tenant, debit, batch_seq, txn, -posted FROM movements WHERE debit < 0 AND txn IS NOT NULL),
      -- Each side with the end of the settlement before it, all in one order: no side meets every settlement.
      placed AS (
        SELECT *, max(ended) OVER (PARTITION BY tenant, account ORDER BY batch_seq, ended NULLS FIRST) AS after_batch
        FROM (
          SELECT tenant, account, batch_seq, txn, posted, NULL::bigint AS ended FROM sides
          JOIN (SELECT DISTINCT tenant, account FROM closed) AS any_closed USING (tenant, account)
          WHERE posted <> 0
          UNION ALL SELECT tenant, account, after_batch, NULL, NULL, after_batch FROM closed) AS events),
      due AS (
        SELECT c.tenant, c.id, p.txn, sum(p.posted) AS amount FROM placed p
        JOIN closed c ON c.tenant = p.tenant AND c.account = p.account AND c.after_batch = p.after_batch
        WHERE c.posted_at IS NOT NULL AND p.txn IS NOT NULL AND p.batch_seq <= c.up_to_batch
        GROUP BY c.tenant, c.id, p.txn HAVING sum(p.posted) <> 0)
      SELECT coalesce(d.tenant, l.tenant) || '/' || coalesce(d.id, l.settlement) FROM due d
      FULL JOIN settlement_lines l ON l.tenant = d.tenant AND l.settlement = d.id AND l.txn = d.txn
      WHERE d.amount IS DISTINCT FROM l.amount
      UNION
      SELECT s.tenant || '/' || s.id FROM settlements s
      LEFT JOIN settlement_lines l ON l.tenant = s.tenant AND l.settlement = s.id WHERE s.posted_at IS NOT NULL
      GROUP BY s.tenant, s.id, s.net HAVING s.net <> coalesce(sum(l.amount), 0)`,
  },
  {
    name: 'no card number in clear',
    of: 'SELECT count(*) FROM transactions WHERE reference IS NOT NULL OR rrn IS NOT NULL',
    wrong: `
      SELECT tenant || '/' || id FROM transactions
      WHERE reference ~ '(^|[^0-9])[2-69][0-9]{14,18}([^0-9]|$)' AND (
        SELECT sum(CASE WHEN n % 2 = 1 THEN digit WHEN digit > 4 THEN digit * 2 - 9 ELSE digit * 2 END) % 10 = 0
        FROM (SELECT row_number() OVER (ORDER BY o DESC) AS n, d::integer AS digit
          FROM regexp_split_to_table(substring(reference FROM '[2-69][0-9]{14,18}'), '')
            WITH ORDINALITY AS u(d, o)) AS digits)`,
  },
  {
    name: 'every batch is whole, its hash chain unbroken',
    of: 'SELECT count(*) FROM batches',
    wrong: `
      WITH stored AS (
        SELECT d.tenant, d.batch_seq AS seq, count(*) AS n, string_agg(${chainLineSql('d')}, '' ORDER BY d.idx) AS lines
        FROM decisions d GROUP BY d.tenant, d.batch_seq),
      links AS (
        SELECT b.*, coalesce(lag(b.position) OVER run + 1, 0) AS place,
          coalesce(lag(encode(b.hash, 'hex')) OVER run, '') AS previous
        FROM batches b WINDOW run AS (PARTITION BY b.tenant, b.run ORDER BY b.position))
      SELECT b.tenant || '/' || b.seq FROM links b LEFT JOIN stored s USING (tenant, seq)
      WHERE b.decisions IS DISTINCT FROM s.n OR b.position <> b.place OR b.hash <> sha256(convert_to(
        b.previous || '|' || b.seq || '|' || ${microsOf('b.at')} || s.lines, 'UTF8'))
      UNION ALL
      SELECT DISTINCT d.tenant || '/' || d.batch_seq FROM decisions d
      LEFT JOIN batches b ON b.tenant = d.tenant AND b.seq = d.batch_seq WHERE b.seq IS NULL`,
  },
  {
    name: 'nothing was spent from a load after its expiry',
    of: 'SELECT count(*) FROM lots WHERE expires_at IS NOT NULL',
    // A load may live longer by and by, never shorter.
    wrong: `
      SELECT DISTINCT m.tenant || '/' || m.debit FROM movements m
      JOIN lots l ON l.tenant = m.tenant AND l.lot = m.debit
      WHERE m.kind = 0 AND m.${isApproval} AND m.debit > 0 AND m.pending + m.posted > 0 AND m.at >= l.expires_at`,
  },
]
