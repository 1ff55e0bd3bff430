import type { Change, Changed, Created, Creation, Page, PageRequest } from '../../core/admin.ts'
import type { MerchantPatch, MerchantRecord, NewMerchant } from '../../core/parties.ts'
import { idOf } from '../sql.ts'
import { assignments, changeOnce, codeTaken, createOnce } from './changes.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'

const entity = { name: 'merchant', isReference: true } as const

const selectText = `SELECT id, code, name, category, array_to_json(groups) AS groups, settlement_account,
    fee_millionths, fee_each, status, version FROM merchants`

export async function readMerchant(run: Run, tenant: number, code: string, lock = ''): Promise<MerchantRecord | null> {
  const [row] = await run(`${selectText} WHERE tenant = $1 AND code = $2 ${lock}`, [tenant, code])
  return row === undefined ? null : merchantOf(row)
}

interface MerchantFilter {
  /** Codes of those that the asker may see; null: all. */
  readonly only: readonly string[] | null
  readonly status: string | null
  readonly category: string | null
  readonly group: string | null
}

/** In the order of their codes. */
export async function listMerchants(
  run: Run,
  tenant: number,
  { only, status, category, group }: MerchantFilter,
  page: PageRequest,
): Promise<Page<MerchantRecord>> {
  const rows = await run(
    `${selectText} WHERE tenant = $1 AND ($2::text[] IS NULL OR code = ANY ($2)) AND ($3::text IS NULL OR status = $3)
       AND ($4::text IS NULL OR category = $4) AND ($5::text IS NULL OR $5 = ANY (groups))
       AND ($6::text IS NULL OR code > $6) ORDER BY code LIMIT $7`,
    [tenant, only, status, category, group, page.after, page.limit + 1],
  )
  return pageOf(rows.map(merchantOf), page, ({ code }) => code)
}

export function createMerchant(
  pool: AdminPool,
  creation: Creation<MerchantRecord>,
  fields: NewMerchant,
): Promise<Created> {
  const { tenant } = creation.actor
  return createOnce(pool, entity, creation, async run => {
    if ((await readMerchant(run, tenant, fields.code)) !== null) return codeTaken()
    const { code, name, category, groups, settlementAccount, feeMillionths, feeEach, status } = fields
    await run(
      `WITH account AS (
         INSERT INTO accounts (tenant, id, kind, asset, code)
         SELECT id, nextval('catalog_account_seq'), 'payable', currency, $2 FROM tenants WHERE id = $1 RETURNING id)
       INSERT INTO merchants (tenant, id, code, name, payable, category, groups, settlement_account, fee_millionths,
         fee_each, status)
       SELECT $1, (SELECT coalesce(max(id), 0) + 1 FROM merchants WHERE tenant = $1), $2, $3, account.id, $4, $5, $6,
         $7, $8, $9 FROM account`,
      [tenant, code, name, category, groups, settlementAccount, feeMillionths, feeEach, status],
    )
    const item = await readMerchant(run, tenant, code)
    if (item === null) throw new Error('a new merchant is not there')
    return { kind: 'made', item, id: code, version: item.version }
  })
}

export function changeMerchant(
  pool: AdminPool,
  change: Change<MerchantRecord>,
  code: string,
  patch: MerchantPatch,
): Promise<Changed<MerchantRecord>> {
  const { tenant } = change.actor
  return changeOnce(pool, { ...entity, id: code }, change, {
    read: run => readMerchant(run, tenant, code, 'FOR NO KEY UPDATE'),
    write: async run => {
      const { sql, values } = assignments(
        {
          name: patch.name,
          category: patch.category,
          groups: patch.groups,
          settlement_account: patch.settlementAccount,
          fee_millionths: patch.feeMillionths,
          fee_each: patch.feeEach,
          status: patch.status,
        },
        3,
      )
      await run(`UPDATE merchants SET ${sql} WHERE tenant = $1 AND code = $2`, [tenant, code, ...values])
      return null
    },
  })
}

const merchantOf = (row: TextRow): MerchantRecord => ({
  id: idOf(row.id),
  code: row.code as string,
  name: row.name as string,
  category: row.category ?? null,
  groups: JSON.parse(row.groups as string),
  settlementAccount: row.settlement_account ?? null,
  feeMillionths: idOf(row.fee_millionths),
  feeEach: BigInt(row.fee_each as string),
  status: row.status as MerchantRecord['status'],
  version: idOf(row.version),
})
