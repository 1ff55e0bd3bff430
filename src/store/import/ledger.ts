import { randomUUID } from 'node:crypto'
import { businessDateOf } from '../../core/calendar.ts'
import type { Catalog } from '../../core/catalog.ts'
import { fingerprint, type Hash } from '../../core/content.ts'
import { decide } from '../../core/decide.ts'
import type { DecisionContext } from '../../core/decision.ts'
import { importKey } from '../../core/keys.ts'
import { localTimeOf } from '../../core/local-time.ts'
import type { Reason } from '../../core/reasons.ts'
import { type OrganisationCounters, WorkingSet } from '../../core/working-set.ts'
import { chainBytes } from '../batch/chain.ts'
import { lotOf, usageOf } from '../batch/columns.ts'
import { fence, lockHolders, lockOrganisations } from '../batch/lock.ts'
import { drawLots, readClock, readLots } from '../batch/read.ts'
import { insertBatch } from '../batch/write.ts'
import { updateOrganisations } from '../batch/write-lots.ts'
import { TextReader } from '../rows.ts'
import { idOf, type Row } from '../sql.ts'
import type { Copy, ImportConnection } from './connection.ts'
import { decisionRows, lotRows, movementRows } from './ledger-rows.ts'
import type { PlannedLine } from './people.ts'

/** Loads of a batch that have been decided: rows to copy, and what is to be run before COMMIT. */
interface DecidedLoads {
  /** Lines whose load is refused, and why. */
  readonly refused: ReadonlyMap<number, Reason>
  readonly copies: readonly Copy[]
  finish(): Promise<void>
  /** The batch has been committed. */
  committed(): void
}

interface LedgerOptions {
  readonly connection: ImportConnection
  readonly catalog: Catalog
  /** Number of the import. */
  readonly number: number
  readonly actor: string
  readonly hash: Hash
}

/**
 * The ledger's side of an import: the same locks, decisions and hash chain as those of a lane, in the same order, but
 * its rows are copied, not inserted.
 */
export class ImportLedger {
  readonly #options: LedgerOptions
  readonly #run = randomUUID()
  #position = 0
  #lastHash = ''

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  /** Within a transaction: locks what the loads of these lines need, and decides them. */
  async decide(lines: readonly PlannedLine[]): Promise<DecidedLoads> {
    const { connection, catalog, number, actor, hash } = this.#options
    const { tenant } = catalog
    const loads = lines.flatMap(({ line, holder, isNew }) =>
      line.load === null ? [] : [{ ...line.load, line, holder, isNew }],
    )
    const existing = [...new Set(loads.filter(({ isNew }) => !isNew).map(({ holder }) => holder))]
    await connection.run(fence(tenant.id))
    if (existing.length > 0) {
      const sources = {
        tenant: tenant.id,
        holders: existing,
        countedHolders: [],
        tokens: [],
        ids: [],
        keys: [],
        days: [],
      }
      await connection.run(lockHolders(sources, 'wait'))
    }
    const there =
      existing.length === 0
        ? []
        : (await connection.run(readLots(tenant.id, existing))).flatMap(row => lotOf(new TextReader(row)) ?? [])
    const funders = [...new Set(loads.map(({ funder }) => funder))].sort((one, other) => one - other)
    const organisations = (await connection.run(lockOrganisations(tenant.id, funders, [], []))).map(organisationOf)
    const lots = (await connection.run(drawLots(loads.length))).map(row => idOf(row[0])).reverse()
    const [clock] = await connection.run(readClock(0))
    const placed = new TextReader(clock ?? [])
    const batch = placed.number()
    const at = placed.time()

    const rows = new WorkingSet({
      ...emptyRows,
      organisations,
      lots: there,
      holdersWithLots: loads.map(({ holder }) => holder),
      lockedHolders: loads.map(({ holder }) => [holder, []]),
    })
    const context: DecisionContext = {
      catalog,
      at,
      batch,
      businessDate: businessDateOf(at, tenant.timeZone, tenant.cutOverSeconds),
      local: localTimeOf(at, tenant),
      nextLot: () => lots.pop(),
      nextSequence: () => {
        throw new Error('a load opens no transaction')
      },
    }
    const refused = new Map<number, Reason>()
    for (const { line, holder, program, funder, amount, expiresAt, reference } of loads) {
      const outcome = decide(
        {
          kind: 'load',
          tenant: tenant.id,
          channel: 'switch',
          key: importKey(number, line.line),
          day: null,
          content: fingerprint([`${program}`, `${funder}`, `${amount}`, `${expiresAt}`], hash),
          holder,
          program,
          funder,
          amount,
          expiresAt,
          note: { reason: 'import', reference, actor },
        },
        rows,
        context,
      )
      if (outcome.kind !== 'decided') throw new Error(`the load of line ${line.line} could not be decided`)
      if (outcome.decision.reason !== 'approved') refused.set(line.line, outcome.decision.reason)
    }

    const decisions = rows.newDecisions
    const link = {
      run: this.#run,
      position: this.#position,
      hash: hash(chainBytes(this.#lastHash, batch, at, decisions)),
    }
    return {
      refused,
      copies: [
        decisionRows(tenant.id, batch, at, decisions),
        lotRows(tenant.id, at, rows.newLots),
        movementRows(tenant.id, batch, at, rows.movements),
      ],
      finish: async () => {
        await connection.run(insertBatch(tenant.id, batch, at, link, decisions.length))
        const changed = rows.changedOrganisations
        if (changed.length > 0) await connection.run(updateOrganisations(tenant.id, changed))
      },
      committed: () => {
        this.#lastHash = link.hash
        this.#position += 1
      },
    }
  }
}

const emptyRows = {
  decisions: [],
  transactions: [],
  cards: [],
  settledUpTo: [],
  rememberedReversals: [],
}

function organisationOf(values: Row): OrganisationCounters {
  const row = new TextReader(values)
  return { id: row.number(), balance: row.money(), usage: usageOf(row) }
}
