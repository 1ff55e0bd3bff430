import type pg from 'pg'
import type { Column, Statement, Value } from '../../src/store/sql.ts'

/** One node of a plan that reads a table. */
export interface Scan {
  readonly table: string
  readonly node: string
  /** Empty where the node has none. */
  readonly condition: string
  /** How often it was run; null: it was only planned. */
  readonly loops: number | null
}

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly 'Recheck Cond'?: string
  readonly 'Actual Loops'?: number
  readonly Plans?: readonly PlanNode[]
}

function quoted(value: Value): string {
  if (value === null) return 'NULL'
  const text = typeof value === 'object' ? `{${value.values.map(one => elementOf(one, value.type)).join()}}` : value
  return `'${String(text).replaceAll("'", "''")}'`
}

function elementOf(value: Column['values'][number], type: Column['type']): string {
  if (value === null) return 'NULL'
  if (type === 'timestamptz') return `"${new Date(Number(value) / 1_000).toISOString()}"`
  if (type === 'tid') return `"(${Math.floor(Number(value) / 65_536)},${Number(value) % 65_536})"`
  return JSON.stringify(type === 'bytea' ? `\\x${value}` : String(value))
}

/**
 * Every scan of a table in the plan by which a lane runs this statement: prepared, and planned for any values. With
 * `runs` it is run too, in a transaction that is rolled back.
 */
export async function scansOf(client: pg.Client, statement: Statement, { runs = false } = {}): Promise<Scan[]> {
  const { text, values } = statement
  await client.query(`PREPARE planned AS ${text}`)
  await client.query('BEGIN')
  try {
    const given = values.length === 0 ? '' : `(${values.map(quoted).join(', ')})`
    const explain = `EXPLAIN (FORMAT JSON${runs ? ', ANALYZE' : ''}) EXECUTE planned${given}`
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(explain)
    const [plan] = rows[0]?.['QUERY PLAN'] ?? []
    if (plan === undefined) throw new Error(`no plan for ${statement.name}`)
    return walk(plan.Plan)
  } finally {
    await client.query('ROLLBACK')
    await client.query('DEALLOCATE planned')
  }
}

function walk(node: PlanNode): Scan[] {
  const below = (node.Plans ?? []).flatMap(walk)
  const table = node['Relation Name']
  if (table === undefined || !/Scan$/.test(node['Node Type'])) return below
  const condition = node['Index Cond'] ?? node['Recheck Cond'] ?? ''
  return [{ table, node: node['Node Type'], condition, loops: node['Actual Loops'] ?? null }, ...below]
}

/** What is wrong with a scan of a table that grows: anything but an index on the tenant and on what names one row. */
export function objectionTo({ table, node, condition }: Scan): string | null {
  if (node === 'Seq Scan') return `${table} is read whole`
  // The place of the row itself.
  if (node === 'Tid Scan') return null
  if (!/\btenant = /.test(condition)) return `${table}: no index condition on tenant, but ${condition || 'none'}`
  const named = condition.replace(/\btenant = /g, '').replace(/\bday = /g, '')
  // A merchant with a bill number or an RRN of its own, or any of the keys of one row.
  if (/\b(?:id|key|token|holder|lot|txn|reference|rrn|merchant|organisation) (?:=|>=)/.test(named)) return null
  return `${table}: no index condition on a key, but ${condition}`
}
