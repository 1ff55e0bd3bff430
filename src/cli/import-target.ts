import type { Hash } from '../core/content.ts'
import type { ImportConnection } from '../store/import/connection.ts'
import { ImportLedger } from '../store/import/ledger.ts'
import type { PersonLine } from '../store/import/people.ts'
import { dryTables } from '../store/import/people.ts'
import { writeMerchants, writeTerminals } from '../store/import/places.ts'
import type { ImportKind } from '../store/import/progress.ts'
import { readRanges } from '../store/import/ranges.ts'
import { type PeopleOutcome, tryPeople, writePeople } from '../store/import/write-people.ts'
import { type PeopleContext, PeopleReader } from './import-people.ts'
import { merchantOf, terminalOf } from './import-places.ts'
import type { ImportTarget, TargetOutcome } from './import-run.ts'
import type { ImportState } from './import-state.ts'

interface TargetOptions {
  readonly connection: ImportConnection
  readonly kind: ImportKind
  readonly context: Omit<PeopleContext, 'ranges'>
  readonly state: ImportState
  readonly isDry: boolean
  readonly hash: Hash
}

/** What reads and writes the lines of this kind of file. */
export async function targetOf(options: TargetOptions): Promise<ImportTarget<never>> {
  const { kind } = options
  const target = kind === 'cardholders' || kind === 'cards' ? await peopleTarget(options) : placesTarget(options)
  return target as unknown as ImportTarget<never>
}

async function peopleTarget({
  connection,
  kind,
  context,
  state,
  isDry,
  hash,
}: TargetOptions): Promise<ImportTarget<PersonLine>> {
  const { catalog } = context
  const { id: number, tenant, startedAt } = state
  const reader = new PeopleReader({ ...context, ranges: await readRanges(connection, tenant) })
  const actor = `charsu import ${number}`
  const ledger = new ImportLedger({ connection, catalog, number, actor, hash })
  const countsOf = ({ holders, cards, loaded, rejections }: PeopleOutcome): TargetOutcome => ({
    cardholders: holders,
    cards,
    rejections,
    loads: loaded.flatMap(({ load }) =>
      load === null ? [] : [[catalog.programsById.get(load.program)?.code ?? '', load.amount] as const],
    ),
  })
  if (isDry) await connection.run(dryTables)
  return {
    read: cells => (kind === 'cards' ? reader.card(cells) : reader.cardholder(cells)),
    write: async (items, progressOf) => {
      if (isDry) {
        const outcome = countsOf(await tryPeople({ connection, tenant, startedAt }, items))
        await progressOf(outcome)
        return outcome
      }
      const people = { connection, ledger, tenant, number, startedAt }
      return countsOf(await writePeople(people, items, outcome => progressOf(countsOf(outcome))))
    },
  }
}

function placesTarget({ connection, kind, state, isDry }: TargetOptions) {
  const context = { connection, tenant: state.tenant, number: state.id, own: new Set<string>() }
  const targetWith = <Item>(
    read: ImportTarget<Item>['read'],
    writer: (
      of: typeof context,
      lines: readonly Item[],
      progressOf: Parameters<typeof writeMerchants>[2],
    ) => ReturnType<typeof writeMerchants>,
  ): ImportTarget<Item> => ({
    read,
    write: async (items, progressOf) => {
      const countsOf = ({ added, rejections }: Awaited<ReturnType<typeof writer>>): TargetOutcome => ({
        [kind]: added,
        rejections,
      })
      const outcome = await writer(context, items, isDry ? null : one => progressOf(countsOf(one)))
      if (isDry) await progressOf(countsOf(outcome))
      return countsOf(outcome)
    },
  })
  return kind === 'merchants' ? targetWith(merchantOf, writeMerchants) : targetWith(terminalOf, writeTerminals)
}
