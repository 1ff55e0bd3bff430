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
import type { Cardholder, CardholderFilter, CardholderPatch } from '../../core/cardholders.ts'
import { idOf, idOrNull, microsOf } from '../sql.ts'
import { assignments, changeOnce, codeTaken, createOnce } from './changes.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'

const entity = { name: 'cardholder', isReference: false } as const

/** Holders without a profile (of first loads, say) are there too. */
const selectText = `SELECT h.id, coalesce(p.version, 1) AS version, p.reference, p.name, p.mobile, p.national_last,
    ${microsOf('p.made_at')} AS made_at
  FROM cardholders h LEFT JOIN cardholder_profiles p ON p.tenant = h.tenant AND p.holder = h.id`

/** Whether organisation `$n` has funded credit of the holder; null: everybody may be told of. */
export const isFundedBy = (holder: string, parameter: string): string =>
  `(${parameter}::integer IS NULL OR EXISTS (SELECT FROM lots f
     WHERE f.tenant = ${holder}.tenant AND f.holder = ${holder}.id AND f.funder = ${parameter}))`

/** Null: there is none, or none that `funder` may see. */
export async function readCardholder(
  run: Run,
  tenant: number,
  holder: number,
  funder: number | null = null,
): Promise<Cardholder | null> {
  const [row] = await run(`${selectText} WHERE h.tenant = $1 AND h.id = $2 AND ${isFundedBy('h', '$3')}`, [
    tenant,
    holder,
    funder,
  ])
  return row === undefined ? null : cardholderOf(row)
}

/** In the order of their ids. */
export async function listCardholders(
  run: Run,
  tenant: number,
  { reference, mobile, nationalHash, funder }: CardholderFilter,
  page: PageRequest,
): Promise<Page<Cardholder>> {
  const rows = await run(
    `${selectText} WHERE h.tenant = $1 AND h.id > coalesce($2::bigint, 0)
       AND ($3::text IS NULL OR p.reference = $3) AND ($4::text IS NULL OR p.mobile = $4)
       AND ($5::text IS NULL OR p.national_hash = decode($5, 'hex')) AND ${isFundedBy('h', '$6')}
     ORDER BY h.id LIMIT $7`,
    [tenant, page.after, reference, mobile, nationalHash, funder, page.limit + 1],
  )
  return pageOf(rows.map(cardholderOf), page, ({ id }) => String(id))
}

export function createCardholder(
  pool: AdminPool,
  creation: Creation<Cardholder>,
  fields: CardholderPatch,
): Promise<Created> {
  const { tenant } = creation.actor
  return unlessTaken(() =>
    createOnce(pool, entity, creation, async run => {
      const [row] = await run(`INSERT INTO cardholders (tenant, id) VALUES ($1, nextval('holder_seq')) RETURNING id`, [
        tenant,
      ])
      const holder = idOf(row?.id)
      const { reference = null, name = null, mobile = null, national = null } = fields
      await run(
        `INSERT INTO cardholder_profiles
           (tenant, holder, made_at, reference, name, mobile, national_hash, national_last)
         VALUES ($1, $2, clock_timestamp(), $3, $4, $5, decode($6, 'hex'), $7)`,
        [tenant, holder, reference, name, mobile, national?.hash ?? null, national?.last ?? null],
      )
      const item = await readCardholder(run, tenant, holder)
      if (item === null) throw new Error('a new cardholder is not there')
      return { kind: 'made', item, id: String(holder), version: item.version }
    }),
  )
}

export function changeCardholder(
  pool: AdminPool,
  change: Change<Cardholder>,
  holder: number,
  patch: CardholderPatch,
): Promise<Changed<Cardholder>> {
  const { tenant } = change.actor
  return unlessTaken(() =>
    changeOnce(pool, { ...entity, id: String(holder) }, change, {
      read: async run => {
        // One that has no profile gets one, so that there is a row to lock and to change.
        await run(
          `INSERT INTO cardholder_profiles (tenant, holder, made_at)
           SELECT tenant, id, clock_timestamp() FROM cardholders h WHERE tenant = $1 AND id = $2
             AND NOT EXISTS (SELECT FROM cardholder_profiles p WHERE p.tenant = $1 AND p.holder = $2)`,
          [tenant, holder],
        )
        await run('SELECT FROM cardholder_profiles WHERE tenant = $1 AND holder = $2 FOR NO KEY UPDATE', [
          tenant,
          holder,
        ])
        return readCardholder(run, tenant, holder)
      },
      write: async run => {
        const { reference, name, mobile, national } = patch
        const { sql, values } = assignments(
          {
            reference,
            name,
            mobile,
            national_hash: national === undefined ? undefined : national === null ? null : `\\x${national.hash}`,
            national_last: national === undefined ? undefined : (national?.last ?? null),
          },
          3,
        )
        await run(`UPDATE cardholder_profiles SET ${sql} WHERE tenant = $1 AND holder = $2`, [
          tenant,
          holder,
          ...values,
        ])
        return null
      },
    }),
  )
}

/** Fields that only one holder may have, by their indexes. */
const uniqueFields: Readonly<Record<string, string>> = {
  cardholder_profiles_by_reference: '/reference',
  cardholder_profiles_by_national: '/nationalCode',
}

async function unlessTaken<Result>(work: () => Promise<Result>): Promise<Result | Refused> {
  try {
    return await work()
  } catch (error) {
    const { code, constraint = '' } = error as { code?: string; constraint?: string }
    if (code !== '23505') throw error
    const field = uniqueFields[constraint]
    // A profile that somebody else has made in this moment: the caller may try again.
    return field === undefined ? refused('in_progress') : codeTaken(field)
  }
}

const cardholderOf = (row: TextRow): Cardholder => ({
  id: idOf(row.id),
  version: idOf(row.version),
  reference: row.reference ?? null,
  name: row.name ?? null,
  mobile: row.mobile ?? null,
  nationalLast: row.national_last ?? null,
  madeAt: idOrNull(row.made_at),
})
