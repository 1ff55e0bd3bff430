import {
  type Change,
  type Changed,
  type Created,
  type Creation,
  type Page,
  type PageRequest,
  type Refused,
  refused,
} from '../../core/admin.ts'
import { dayOfDate } from '../../core/calendar.ts'
import type { NewOrganisation, Organisation, OrganisationPatch } from '../../core/parties.ts'
import { idOf } from '../sql.ts'
import { assignments, changeOnce, codeTaken, createOnce } from './changes.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'

const entity = { name: 'organisation', isReference: true } as const

const selectText = `SELECT o.id, o.code, o.name, o.contract, o.credit_limit, o.contract_number, o.contract_from,
    o.contract_until, o.status, o.version, coalesce(c.balance, 0) AS balance
  FROM organisations o LEFT JOIN organisation_counters c ON c.tenant = o.tenant AND c.organisation = o.id`

export async function readOrganisation(
  run: Run,
  tenant: number,
  code: string,
  lock = '',
): Promise<Organisation | null> {
  const [row] = await run(`${selectText} WHERE o.tenant = $1 AND o.code = $2 ${lock}`, [tenant, code])
  return row === undefined ? null : organisationOf(row)
}

/** In the order of their codes. `only`: the one that the asker may see; null: all. */
export async function listOrganisations(
  run: Run,
  tenant: number,
  { only, status }: { readonly only: number | null; readonly status: string | null },
  page: PageRequest,
): Promise<Page<Organisation>> {
  const rows = await run(
    `${selectText} WHERE o.tenant = $1 AND ($2::integer IS NULL OR o.id = $2) AND ($3::text IS NULL OR o.status = $3)
       AND ($4::text IS NULL OR o.code > $4) ORDER BY o.code LIMIT $5`,
    [tenant, only, status, page.after, page.limit + 1],
  )
  return pageOf(rows.map(organisationOf), page, ({ code }) => code)
}

export function createOrganisation(
  pool: AdminPool,
  creation: Creation<Organisation>,
  fields: NewOrganisation,
): Promise<Created> {
  const { tenant } = creation.actor
  return createOnce(pool, entity, creation, async run => {
    if ((await readOrganisation(run, tenant, fields.code)) !== null) return codeTaken()
    const refusal = refusalOf(fields)
    if (refusal !== null) return refusal
    const { code, name, contract, creditLimit, contractNumber, contractFrom, contractUntil, status } = fields
    await run(
      `WITH account AS (
         INSERT INTO accounts (tenant, id, kind, asset, code)
         SELECT id, nextval('catalog_account_seq'), 'funding', currency, $2 FROM tenants WHERE id = $1 RETURNING id),
       made AS (
         INSERT INTO organisations (tenant, id, code, name, account, contract, credit_limit, contract_number,
           contract_from, contract_until, status)
         SELECT $1, (SELECT coalesce(max(id), 0) + 1 FROM organisations WHERE tenant = $1), $2, $3, account.id, $4, $5,
           $6, $7::date, $8::date, $9 FROM account RETURNING tenant, id)
       INSERT INTO organisation_counters (tenant, organisation) SELECT tenant, id FROM made`,
      [tenant, code, name, contract, creditLimit, contractNumber, contractFrom, contractUntil, status],
    )
    const item = await readOrganisation(run, tenant, code)
    if (item === null) throw new Error('a new organisation is not there')
    return { kind: 'made', item, id: code, version: item.version }
  })
}

export function changeOrganisation(
  pool: AdminPool,
  change: Change<Organisation>,
  code: string,
  patch: OrganisationPatch,
): Promise<Changed<Organisation>> {
  const { tenant } = change.actor
  return changeOnce(pool, { ...entity, id: code }, change, {
    read: run => readOrganisation(run, tenant, code, 'FOR NO KEY UPDATE OF o'),
    write: async (run, before) => {
      const refusal = refusalOf({ ...before, ...patch })
      if (refusal !== null) return refusal
      const { sql, values } = assignments(
        {
          name: patch.name,
          contract: patch.contract,
          credit_limit: patch.creditLimit,
          contract_number: patch.contractNumber,
          contract_from: patch.contractFrom,
          contract_until: patch.contractUntil,
          status: patch.status,
        },
        3,
      )
      await run(`UPDATE organisations SET ${sql} WHERE tenant = $1 AND code = $2`, [tenant, code, ...values])
      return null
    },
  })
}

type Contract = Pick<Organisation, 'contract' | 'creditLimit' | 'contractFrom' | 'contractUntil'>

/** Fields that do not go together. */
function refusalOf({ contract, creditLimit, contractFrom, contractUntil }: Contract): Refused | null {
  if (contract !== 'credit_line' && creditLimit !== 0n) {
    return refused('format_invalid', '/creditLimit', 'is only for the contract credit_line')
  }
  if (contractFrom !== null && dayOfDate(contractFrom) === null) return noDay('/contractFrom')
  if (contractUntil !== null && dayOfDate(contractUntil) === null) return noDay('/contractUntil')
  if (contractFrom !== null && contractUntil !== null && contractFrom > contractUntil) {
    return refused('format_invalid', '/contractUntil', 'must not be before contractFrom')
  }
  return null
}

const noDay = (field: string): Refused => refused('format_invalid', field, 'must be a date of the calendar')

const organisationOf = (row: TextRow): Organisation => ({
  id: idOf(row.id),
  code: row.code as string,
  name: row.name as string,
  contract: row.contract as Organisation['contract'],
  creditLimit: BigInt(row.credit_limit as string),
  contractNumber: row.contract_number ?? null,
  contractFrom: row.contract_from ?? null,
  contractUntil: row.contract_until ?? null,
  status: row.status as Organisation['status'],
  version: idOf(row.version),
  balance: BigInt(row.balance as string),
})
