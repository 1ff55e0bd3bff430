import {
  type Actor,
  type Change,
  type Changed,
  type Created,
  type Creation,
  type Page,
  type PageRequest,
  type Refused,
  refused,
} from '../../core/admin.ts'
import {
  type CardFilter,
  type CardKind,
  type CardMove,
  type CardRecord,
  cardKinds,
  cardMoves,
  cardStatuses,
  firstStatusOf,
  mayMove,
  type NewCard,
  type NumberOffer,
} from '../../core/cards.ts'
import { resetPinTries } from '../card-pins.ts'
import { idOf, idOrNull, microsOf, timestampOf } from '../sql.ts'
import { writeAudit } from './audit-log.ts'
import { isFundedBy } from './cardholders.ts'
import { changeOnce, createOnce } from './changes.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'

const entity = { name: 'card', isReference: false } as const

const selectText = `SELECT c.id, replace(c.token::text, '-', '') AS token, c.holder, c.kind, c.status, c.status_reason,
    c.last4, c.program, ${microsOf('c.expires_at')} AS expires_at, ${microsOf('c.issued_at')} AS issued_at,
    c.replaced_by, c.pin_tries, c.version
  FROM cards c JOIN cardholders h ON h.tenant = c.tenant AND h.id = c.holder`

export async function readCardRecord(
  run: Run,
  tenant: number,
  id: number,
  funder: number | null = null,
): Promise<CardRecord | null> {
  const [row] = await run(`${selectText} WHERE c.tenant = $1 AND c.id = $2 AND ${isFundedBy('h', '$3')}`, [
    tenant,
    id,
    funder,
  ])
  return row === undefined ? null : cardOf(row)
}

/** In the order of their ids. */
export async function listCards(
  run: Run,
  tenant: number,
  filter: CardFilter,
  page: PageRequest,
): Promise<Page<CardRecord>> {
  const { holder, last4, status, token, funder } = filter
  const given: readonly (readonly [condition: (parameter: string) => string, value: unknown])[] = [
    [parameter => `c.holder = ${parameter}`, holder],
    [parameter => `c.last4 = ${parameter}`, last4],
    // Written out where it can be, for the index of cards that are not active.
    [parameter => `c.status = ${parameter} ${status === 'active' ? '' : 'AND c.status <> 0'}`, codeOf(status)],
    [parameter => `c.token = ${parameter}::uuid`, token],
  ]
  const conditions = given.filter(([, value]) => value !== null)
  const rows = await run(
    `${selectText} WHERE c.tenant = $1 AND c.id > coalesce($2::bigint, 0) AND ${isFundedBy('h', '$3')}
       ${conditions.map(([conditionOf], index) => `AND ${conditionOf(`$${index + 5}`)}`).join(' ')}
     ORDER BY c.id LIMIT $4`,
    [tenant, page.after, funder, page.limit + 1, ...conditions.map(([, value]) => value)],
  )
  return pageOf(rows.map(cardOf), page, ({ id }) => String(id))
}

const codeOf = (status: CardRecord['status'] | null): number | null =>
  status === null ? null : cardStatuses.indexOf(status)

/** The last digits of cards, by token. */
export async function readLast4(run: Run, tenant: number, tokens: readonly string[]): Promise<Map<string, string>> {
  const rows = await run(
    `SELECT replace(token::text, '-', '') AS token, last4 FROM cards WHERE tenant = $1 AND token = ANY ($2::uuid[])`,
    [tenant, tokens],
  )
  return new Map(rows.map(row => [row.token as string, row.last4 as string]))
}

/** What the numbers of a program's cards begin with; null: it has no range. */
export async function readRange(run: Run, tenant: number, program: number): Promise<string | null> {
  const [row] = await run('SELECT bin FROM programs WHERE tenant = $1 AND id = $2', [tenant, program])
  return row?.bin ?? null
}

export function issueCard(pool: AdminPool, creation: Creation<CardRecord>, card: NewCard): Promise<Created> {
  const { tenant } = creation.actor
  return retried(() =>
    createOnce(pool, entity, creation, async run => {
      if (!(await lockHolder(run, tenant, card.holder))) return refused('not_found')
      const made = await insertCard(run, tenant, card, firstStatusOf(card.kind))
      return 'kind' in made
        ? made
        : { kind: 'made', item: made.card, id: String(made.card.id), version: made.card.version }
    }),
  )
}

export type Replacement = Omit<NewCard, 'holder'> & { readonly reason: string | null }

/** A card with a number of its own in place of another: same holder, so the same accounts and limits. */
export function replaceCard(
  pool: AdminPool,
  creation: Creation<CardRecord>,
  id: number,
  { reason, ...given }: Replacement,
): Promise<Created> {
  const { actor, bodyOf } = creation
  return retried(() =>
    createOnce(pool, entity, creation, async run => {
      const old = await lockCard(run, actor.tenant, id)
      if (old === null) return refused('not_found')
      if (!mayMove(old, 'replace')) return refused('card_status_wrong')
      const made = await insertCard(run, actor.tenant, { ...given, holder: old.holder }, firstStatusOf(given.kind))
      if ('kind' in made) return made
      await run(
        `UPDATE cards SET status = ${cardStatuses.indexOf('replaced')}, status_reason = $3, replaced_by = $4,
           version = version + 1 WHERE tenant = $1 AND id = $2`,
        [actor.tenant, id, reason, made.card.id],
      )
      const after = await readCardRecord(run, actor.tenant, id)
      const line = { before: bodyOf(old), after: after === null ? null : bodyOf(after) }
      await writeAudit(run, actor, { ...line, action: 'replace', entity: entity.name, entityId: String(id) })
      return { kind: 'made', item: made.card, id: String(made.card.id), version: made.card.version }
    }),
  )
}

/** Activates, blocks, unblocks or closes a card. One that is there already is left as it is. */
export function moveCard(
  pool: AdminPool,
  { actor, bodyOf }: Omit<Change<CardRecord>, 'version'>,
  id: number,
  move: Exclude<CardMove, 'replace'>,
  reason: string | null,
): Promise<Changed<CardRecord>> {
  return pool.transaction(async (run): Promise<Changed<CardRecord>> => {
    const before = await lockCard(run, actor.tenant, id)
    if (before === null) return { kind: 'not_found' }
    const { to } = cardMoves[move]
    if (before.status === to) return { kind: 'changed', item: before }
    if (!mayMove(before, move)) return refused('card_status_wrong')
    await run('UPDATE cards SET status = $3, status_reason = $4, version = version + 1 WHERE tenant = $1 AND id = $2', [
      actor.tenant,
      id,
      cardStatuses.indexOf(to),
      reason,
    ])
    const item = { ...before, status: to, statusReason: reason, version: before.version + 1 }
    const line = { before: bodyOf(before), after: bodyOf(item) }
    await writeAudit(run, actor, { ...line, action: move, entity: entity.name, entityId: String(id) })
    return { kind: 'changed', item }
  })
}

/** Changes when a card expires. */
export function changeCard(
  pool: AdminPool,
  change: Change<CardRecord>,
  id: number,
  { expiresAt }: { readonly expiresAt: number | null },
): Promise<Changed<CardRecord>> {
  const { tenant } = change.actor
  return changeOnce(pool, { ...entity, id: String(id) }, change, {
    read: run => lockCard(run, tenant, id),
    write: async run => {
      await run(
        `UPDATE cards SET expires_at = ${timestampOf('$3::bigint')}, version = version + 1
         WHERE tenant = $1 AND id = $2`,
        [tenant, id, expiresAt],
      )
      return null
    },
  })
}

/** Forgets wrong PINs. */
export function resetCardPin(
  pool: AdminPool,
  { actor, bodyOf }: Omit<Change<CardRecord>, 'version'>,
  id: number,
): Promise<Changed<CardRecord>> {
  return pool.transaction(async (run): Promise<Changed<CardRecord>> => {
    const before = await lockCard(run, actor.tenant, id)
    if (before === null) return { kind: 'not_found' }
    await resetPinTries(run, actor.tenant, before.token)
    const item = { ...before, pinTries: 0 }
    const line = { before: bodyOf(before), after: bodyOf(item) }
    await writeAudit(run, actor, { ...line, action: 'reset_pin', entity: entity.name, entityId: String(id) })
    return { kind: 'changed', item }
  })
}

type Sealed = { readonly kind: 'sealed'; readonly token: string; readonly sealed: string }

/** The sealed number of a card (hexadecimal), with a line in the audit log of who has asked for it. */
export function revealCard(
  pool: AdminPool,
  actor: Actor,
  id: number,
): Promise<Sealed | { readonly kind: 'not_found' }> {
  return pool.transaction(async (run): Promise<Sealed | { readonly kind: 'not_found' }> => {
    const [row] = await run(
      `SELECT replace(c.token::text, '-', '') AS token, encode(v.sealed, 'hex') AS sealed
       FROM cards c JOIN pan_vault v ON v.tenant = c.tenant AND v.token = c.token
       WHERE c.tenant = $1 AND c.id = $2`,
      [actor.tenant, id],
    )
    if (row === undefined) return { kind: 'not_found' }
    const line = { action: 'reveal', entity: entity.name, entityId: String(id), before: null, after: null }
    await writeAudit(run, actor, line)
    return { kind: 'sealed', token: row.token as string, sealed: row.sealed as string }
  })
}

/** Cards are changed under the lock of their holder, as a batch reads them. */
async function lockHolder(run: Run, tenant: number, holder: number): Promise<boolean> {
  const rows = await run('SELECT 1 AS one FROM cardholders WHERE tenant = $1 AND id = $2 FOR NO KEY UPDATE', [
    tenant,
    holder,
  ])
  return rows.length === 1
}

async function lockCard(run: Run, tenant: number, id: number): Promise<CardRecord | null> {
  const card = await readCardRecord(run, tenant, id)
  if (card === null || !(await lockHolder(run, tenant, card.holder))) return null
  return readCardRecord(run, tenant, id)
}

async function insertCard(
  run: Run,
  tenant: number,
  { holder, program, kind, expiresAt, offers }: NewCard,
  status: CardRecord['status'],
): Promise<{ readonly card: CardRecord } | Refused> {
  const offer = await freeOffer(run, tenant, offers)
  if (offer === null) return refused('format_invalid', '/program', 'has hardly any card numbers left in its range')
  const { token, last4, sealed } = offer
  const [row] = await run(
    `INSERT INTO cards (token, holder, tenant, status, last4, kind, program, issued_at, expires_at)
     VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, clock_timestamp(), ${timestampOf('$8::bigint')}) RETURNING id`,
    [token, holder, tenant, cardStatuses.indexOf(status), last4, cardKinds.indexOf(kind), program, expiresAt],
  )
  await run(`INSERT INTO pan_vault (token, tenant, sealed) VALUES ($1::uuid, $2, decode($3, 'hex'))`, [
    token,
    tenant,
    sealed,
  ])
  const card = await readCardRecord(run, tenant, idOf(row?.id))
  if (card === null) throw new Error('a new card is not there')
  return { card }
}

async function freeOffer(run: Run, tenant: number, offers: readonly NumberOffer[]): Promise<NumberOffer | null> {
  const rows = await run(
    `SELECT replace(token::text, '-', '') AS token FROM cards WHERE tenant = $1 AND token = ANY ($2::uuid[])`,
    [tenant, offers.map(({ token }) => token)],
  )
  const taken = new Set(rows.map(({ token }) => token))
  return offers.find(({ token }) => !taken.has(token)) ?? null
}

const attemptsMax = 3

/** Again, if somebody else has taken the number in this moment. */
async function retried<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const { code, constraint } = error as { code?: string; constraint?: string }
      if (code !== '23505' || constraint !== 'cards_pkey' || attempt === attemptsMax) throw error
    }
  }
}

const cardOf = (row: TextRow): CardRecord => ({
  id: idOf(row.id),
  token: row.token as string,
  holder: idOf(row.holder),
  kind: cardKinds[idOf(row.kind)] as CardKind,
  status: cardStatuses[idOf(row.status)] as CardRecord['status'],
  statusReason: row.status_reason ?? null,
  last4: row.last4 as string,
  program: idOrNull(row.program),
  expiresAt: idOrNull(row.expires_at),
  issuedAt: idOf(row.issued_at),
  replacedBy: idOrNull(row.replaced_by),
  pinTries: idOf(row.pin_tries),
  version: idOf(row.version),
})
