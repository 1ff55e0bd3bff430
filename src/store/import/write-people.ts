import { begin } from '../batch/lock.ts'
import type { Copy, ImportConnection } from './connection.ts'
import { copyBytes, copyLine, copyTime } from './copy-text.ts'
import type { ImportLedger } from './ledger.ts'
import { lookUp, type PersonLine, type PlannedLine, planLines, type Rejection } from './people.ts'
import { type Progress, saveProgress } from './progress.ts'

/** What a batch of lines comes to. */
export interface PeopleOutcome {
  readonly holders: number
  readonly cards: number
  /** Lines with a load that was made. */
  readonly loaded: readonly PersonLine[]
  readonly rejections: readonly Rejection[]
}

interface PeopleImport {
  readonly connection: ImportConnection
  readonly ledger: ImportLedger
  readonly tenant: number
  readonly number: number
  readonly startedAt: string
}

/**
 * Writes the lines that are new, wholly or not at all, with what `progressOf` makes of the outcome, in one transaction.
 * Throws BatchError: to run the same lines again is safe.
 */
export async function writePeople(
  { connection, ledger, tenant, number, startedAt }: PeopleImport,
  lines: readonly PersonLine[],
  progressOf: (outcome: PeopleOutcome) => Promise<Progress>,
): Promise<PeopleOutcome> {
  const plan = planLines(lines, await lookUp(connection, { tenant, startedAt, isDry: false }, lines))
  try {
    await connection.run(begin)
    const hasLoads = plan.lines.some(({ line }) => line.load !== null)
    const loads = hasLoads ? await ledger.decide(plan.lines) : null
    const kept = loads === null ? plan.lines : plan.lines.filter(({ line }) => !loads.refused.has(line.line))
    const refusals = plan.lines.flatMap(({ line: { line, load } }): Rejection[] => {
      const reason = loads?.refused.get(line)
      return reason === undefined ? [] : [{ line, field: 'amount', reason, value: `${load?.amount}` }]
    })
    const holders = newHolders(plan.lines, kept)
    const outcome = {
      holders: holders.length,
      cards: kept.filter(({ line }) => line.card !== null).length,
      loaded: kept.map(({ line }) => line).filter(({ load }) => load !== null),
      rejections: [...plan.rejections, ...refusals],
    }
    await connection.copy([...peopleRows(tenant, startedAt, holders, kept), ...(loads?.copies ?? [])])
    await loads?.finish()
    await saveProgress(connection, { tenant, number }, await progressOf(outcome))
    await connection.commit()
    loads?.committed()
    return outcome
  } catch (error) {
    await connection.rollback()
    throw error
  }
}

/** The same without effect: what would be new is kept beside, so that later lines know of it. */
export async function tryPeople(
  { connection, tenant, startedAt }: Pick<PeopleImport, 'connection' | 'tenant' | 'startedAt'>,
  lines: readonly PersonLine[],
): Promise<PeopleOutcome> {
  const plan = planLines(lines, await lookUp(connection, { tenant, startedAt, isDry: true }, lines))
  const holders = newHolders(plan.lines, plan.lines)
  const cards = plan.lines.flatMap(({ line }) => line.card ?? [])
  await connection.copy([
    { table: 'dry_cards', columns: 'token', text: cards.map(({ token }) => copyLine([token])).join('') },
    {
      table: 'dry_profiles',
      columns: 'holder, reference, national_hash',
      text: holders
        .map(({ holder, line: { holder: data } }) =>
          copyLine([holder, data.reference, copyBytes(data.national?.hash ?? null)]),
        )
        .join(''),
    },
  ])
  return {
    holders: holders.length,
    cards: cards.length,
    loaded: plan.lines.map(({ line }) => line).filter(({ load }) => load !== null),
    rejections: plan.rejections,
  }
}

/** The lines that first name a new holder, of holders that a line which is written still needs. */
function newHolders(lines: readonly PlannedLine[], kept: readonly PlannedLine[]): PlannedLine[] {
  const needed = new Set(kept.map(({ holder }) => holder))
  return lines.filter(({ isNew, holder }) => isNew && needed.has(holder))
}

function peopleRows(
  tenant: number,
  startedAt: string,
  holders: readonly PlannedLine[],
  kept: readonly PlannedLine[],
): Copy[] {
  // In the order of their keys: two who write the same ones wait for each other only in one direction.
  const cards = kept
    .flatMap(({ line: { card }, holder }) => (card === null ? [] : [{ ...card, holder }]))
    .sort((one, other) => (one.token < other.token ? -1 : 1))
  return [
    {
      table: 'cardholders',
      columns: 'id, tenant',
      text: holders.map(({ holder }) => copyLine([holder, tenant])).join(''),
    },
    {
      table: 'cardholder_profiles',
      columns: 'holder, made_at, tenant, reference, name, mobile, national_hash, national_last',
      text: holders
        .map(({ holder, line: { holder: data } }) =>
          copyLine([
            holder,
            startedAt,
            tenant,
            data.reference,
            data.name,
            data.mobile,
            copyBytes(data.national?.hash ?? null),
            data.national?.last ?? null,
          ]),
        )
        .join(''),
    },
    {
      table: 'cards',
      columns: 'token, holder, expires_at, tenant, status, last4, issued_at, program, kind',
      text: cards
        .map(card =>
          copyLine([
            card.token,
            card.holder,
            copyTime(card.expiresAt),
            tenant,
            card.status,
            card.last4,
            startedAt,
            card.program,
            card.kind,
          ]),
        )
        .join(''),
    },
    {
      table: 'pan_vault',
      columns: 'token, tenant, sealed',
      text: cards.map(({ token, sealed }) => copyLine([token, tenant, copyBytes(sealed)])).join(''),
    },
  ]
}
