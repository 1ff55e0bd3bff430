import type { Catalog } from '../core/catalog.ts'
import type { Clawback, Load } from '../core/commands.ts'
import { listLineKey } from '../core/keys.ts'
import { isApproval } from '../core/reasons.ts'
import type { Decision } from '../core/transactions.ts'
import type { Submit } from '../engine/result.ts'
import {
  type ClaimedList,
  claimList,
  type LineOutcome,
  type PendingLine,
  readPending,
  recordLines,
  releaseList,
} from '../store/admin/load-runs.ts'
import type { AdminPool } from '../store/admin/pool.ts'

/** Lines that are under way at once: few enough that payments do not wait behind them. */
const inFlightMax = 64
/** Lines that are read, and whose outcomes are stored, together. */
const pageMax = 256
/** Lines of one round, so that a switch that stops need not wait for a whole file. */
const linesMax = 2_048

/**
 * Runs a part of the list that has waited longest, as commands through the engine. Each line has a key of its own, kept
 * under the day of the run: whoever runs it again, and however late, has no second effect. Answers how many it decided.
 */
export async function runLists({ run }: AdminPool, submit: Submit, catalog: Catalog): Promise<number> {
  const tenant = catalog.tenant.id
  const list = await claimList(run, tenant)
  if (list === null) return 0
  let decided = 0
  try {
    for (let after = 0; decided < linesMax; ) {
      const page = await readPending(run, tenant, list.id, after, pageMax)
      // What another switch has just set up is not known here yet; the engine would refuse it for ever.
      const lines = page.filter(
        ({ program, funder }) => isKnown(program, catalog.programsById) && isKnown(funder, catalog.fundersById),
      )
      const outcomes = await decideLines(submit, tenant, list, lines)
      if (outcomes.length > 0) await recordLines(run, tenant, list.id, outcomes)
      decided += outcomes.length
      // Nothing left; or what is busy or away now is taken on in the next round.
      if (outcomes.length < pageMax) break
      after = page.at(-1)?.line ?? after
    }
  } finally {
    await releaseList(run, tenant, list.id)
  }
  return decided
}

const isKnown = (id: number | null, known: ReadonlyMap<number, unknown>): boolean => id === null || known.has(id)

/** What came of these lines, so many of them under way at once; those without an answer yet are left out. */
async function decideLines(
  submit: Submit,
  tenant: number,
  list: ClaimedList,
  lines: readonly PendingLine[],
): Promise<LineOutcome[]> {
  const outcomes: LineOutcome[] = []
  for (let from = 0; from < lines.length; from += inFlightMax) {
    const decided = await Promise.all(
      lines.slice(from, from + inFlightMax).map(line => decideLine(submit, tenant, list, line)),
    )
    outcomes.push(...decided.filter(outcome => outcome !== null))
  }
  return outcomes
}

/** Null: it has no answer yet. */
async function decideLine(
  submit: Submit,
  tenant: number,
  list: ClaimedList,
  line: PendingLine,
): Promise<LineOutcome | null> {
  const command = list.kind === 'load' ? loadOf(tenant, list, line) : clawbackOf(tenant, list, line)
  const result = await submit.submit(command)
  if (result.kind === 'other_content') throw new Error(`line ${line.line} of list ${list.id} has another's key`)
  if (result.kind !== 'decided') return null
  const { decision } = result
  if (!isApproval(decision.reason)) return { line: line.line, lot: null, amount: null, reason: decision.reason }
  return { line: line.line, lot: lotOf(list, decision), amount: amountOf(decision), reason: null }
}

const lotOf = ({ kind }: ClaimedList, { postings }: Decision): number | null =>
  kind === 'load' ? (postings[0]?.credit ?? null) : null
const amountOf = ({ postings }: Decision): bigint => postings.reduce((sum, { posted }) => sum + posted, 0n)

const requestOf = (tenant: number, { id, runDay, reason, reference, actor }: ClaimedList, { line }: PendingLine) =>
  ({
    tenant,
    channel: 'switch',
    key: listLineKey(id, line),
    day: runDay,
    content: '00',
    note: { reason, reference, actor },
  }) as const

function loadOf(tenant: number, list: ClaimedList, line: PendingLine): Load {
  const { holder, program, funder, amount, expiresAt } = line
  if (program === null || funder === null || amount === null) throw new Error(`line ${line.line} is no load`)
  const request = requestOf(tenant, list, line)
  return { kind: 'load', ...request, holder, program, funder, amount, expiresAt: expiresAt ?? 'terms' }
}

function clawbackOf(tenant: number, list: ClaimedList, line: PendingLine): Clawback {
  const { holder, program, funder, amount } = line
  if (program === null) throw new Error(`line ${line.line} is no claw-back`)
  return { kind: 'clawback', ...requestOf(tenant, list, line), holder, program, funder, amount }
}
