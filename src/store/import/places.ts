import { begin } from '../batch/lock.ts'
import { arrayOf, arrayOfText, statement } from '../sql.ts'
import type { ImportConnection } from './connection.ts'
import type { Rejection } from './people.ts'
import { type Progress, saveProgress } from './progress.ts'

interface Place {
  readonly line: number
  readonly code: string
}

export interface NewMerchant extends Place {
  readonly name: string
  readonly category: string | null
  readonly groups: readonly string[]
  readonly settlementAccount: string | null
}

export interface NewTerminal extends Place {
  /** Code of the merchant. */
  readonly merchant: string
  readonly channel: string
  readonly confirmation: string
  readonly partial: boolean
}

interface PlacesOutcome {
  readonly added: number
  readonly rejections: readonly Rejection[]
}

/** What stands between an import of places and the database. */
interface PlacesImport {
  readonly connection: ImportConnection
  readonly tenant: number
  readonly number: number
  /** Codes that lines before have brought in: they are known as duplicates within the file. */
  readonly own: Set<string>
}

type ProgressOf = (outcome: PlacesOutcome) => Promise<Progress>

/** Writes merchants that are new, in one transaction with the progress. `progressOf` null: nothing is written. */
export const writeMerchants = (context: PlacesImport, lines: readonly NewMerchant[], progressOf: ProgressOf | null) =>
  write(context, lines, 'merchants', progressOf, async known => {
    const { tenant } = context
    const fresh = withoutKnown(lines, known, context.own)
    return {
      ...fresh,
      insert: added =>
        statement(
          'import_merchants',
          `WITH x AS MATERIALIZED (
             SELECT u.*, nextval('catalog_account_seq') AS payable,
               (SELECT coalesce(max(id), 0) FROM merchants WHERE tenant = $1) + row_number() OVER (ORDER BY n) AS id
             FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY
               AS u(code, name, category, groups, settlement_account, n)),
           made AS (
             INSERT INTO accounts (tenant, id, kind, asset, code)
             SELECT t.id, x.payable, 'payable', t.currency, x.code FROM x, tenants t WHERE t.id = $1)
           INSERT INTO merchants (tenant, id, code, name, category, groups, settlement_account, payable)
           SELECT $1, id, code, name, category, groups::text[], settlement_account, payable FROM x`,
          [
            tenant,
            arrayOfText(added.map(({ code }) => code)),
            arrayOfText(added.map(({ name }) => name)),
            arrayOfText(added.map(({ category }) => category)),
            arrayOfText(added.map(({ groups }) => arrayOfText(groups))),
            arrayOfText(added.map(({ settlementAccount }) => settlementAccount)),
          ],
        ),
    }
  })

/** The same for terminals; their merchants are there, or their lines are left out. */
export const writeTerminals = (context: PlacesImport, lines: readonly NewTerminal[], progressOf: ProgressOf | null) =>
  write(context, lines, 'terminals', progressOf, async known => {
    const { connection, tenant } = context
    const merchants = new Map(
      (
        await connection.run(
          statement('import_merchant_ids', 'SELECT code, id FROM merchants WHERE tenant = $1 AND code = ANY ($2)', [
            tenant,
            arrayOfText([...new Set(lines.map(({ merchant }) => merchant))]),
          ]),
        )
      ).map(([code, id]) => [code as string, id as string]),
    )
    const homeless = lines.filter(({ merchant }) => !merchants.has(merchant))
    const rest = lines.filter(({ merchant }) => merchants.has(merchant))
    const fresh = withoutKnown(rest, known, context.own)
    return {
      added: fresh.added,
      rejections: [
        ...fresh.rejections,
        ...homeless.map(({ line, merchant }) => ({
          line,
          field: 'merchant',
          reason: 'merchant_unknown',
          value: merchant,
        })),
      ],
      insert: added =>
        statement(
          'import_terminals',
          `INSERT INTO terminals (tenant, id, code, merchant, channel, confirmation, partial)
           SELECT $1, (SELECT coalesce(max(id), 0) FROM terminals WHERE tenant = $1) + row_number() OVER (ORDER BY n),
             code, merchant, channel, confirmation, partial
           FROM unnest($2::text[], $3::integer[], $4::text[], $5::text[], $6::boolean[]) WITH ORDINALITY
             AS u(code, merchant, channel, confirmation, partial, n)`,
          [
            tenant,
            arrayOfText(added.map(({ code }) => code)),
            arrayOf(added.map(({ merchant }) => merchants.get(merchant) as string)),
            arrayOfText(added.map(({ channel }) => channel)),
            arrayOfText(added.map(({ confirmation }) => confirmation)),
            arrayOf(added.map(({ partial }) => partial)),
          ],
        ),
    }
  })

interface PlacesPlan<Item> extends Omit<PlacesOutcome, 'added'> {
  readonly added: readonly Item[]
  insert(added: readonly Item[]): ReturnType<typeof statement>
}

async function write<Item extends Place>(
  { connection, tenant, number, own }: PlacesImport,
  lines: readonly Item[],
  table: 'merchants' | 'terminals',
  progressOf: ProgressOf | null,
  planOf: (known: ReadonlySet<string>) => Promise<PlacesPlan<Item>>,
): Promise<PlacesOutcome> {
  try {
    await connection.run(begin)
    // It also keeps two who add places from taking the same ids.
    const touch = 'UPDATE tenants SET catalog_version = catalog_version + 1 WHERE id = $1'
    if (progressOf !== null) await connection.run(statement('import_touch_catalog', touch, [tenant]))
    const codes = arrayOfText(lines.map(({ code }) => code))
    const text = `SELECT code FROM ${table} WHERE tenant = $1 AND code = ANY ($2)`
    const rows = await connection.run(statement(`import_known_${table}`, text, [tenant, codes]))
    const plan = await planOf(new Set(rows.map(([code]) => code as string)))
    const outcome = { added: plan.added.length, rejections: plan.rejections }
    if (progressOf === null) {
      await connection.rollback()
    } else {
      if (plan.added.length > 0) await connection.run(plan.insert(plan.added))
      await saveProgress(connection, { tenant, number }, await progressOf(outcome))
      await connection.commit()
    }
    for (const { code } of plan.added) own.add(code)
    return outcome
  } catch (error) {
    await connection.rollback()
    throw error
  }
}

function withoutKnown<Item extends Place>(
  lines: readonly Item[],
  known: ReadonlySet<string>,
  own: ReadonlySet<string>,
) {
  const seen = new Set<string>()
  const rejections: Rejection[] = []
  const added: Item[] = []
  for (const one of lines) {
    const { line, code } = one
    if (seen.has(code) || own.has(code))
      rejections.push({ line, field: 'code', reason: 'duplicate_in_file', value: code })
    else if (known.has(code)) rejections.push({ line, field: 'code', reason: 'already_there', value: code })
    else {
      seen.add(code)
      added.push(one)
    }
  }
  return { added, rejections }
}
