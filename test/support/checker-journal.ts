import { closeKind, type Finding, inquireKind, isApproval, moves, nameOf, sumOf } from './checker-words.ts'
import type { JournalEntry } from './journal.ts'
import type { DecisionRow, Raw } from './raw-ledger.ts'

/** The first byte of keys that the switch makes for itself. */
const ownKey = /^ff/

/** C3 to C6 and C11, against what the clients sent and were told. */
export function checkJournal(raw: Raw, journal: readonly JournalEntry[]): Finding[] {
  const findings: Finding[] = []
  const byKey = Map.groupBy(raw.decisions, one => one.key)
  const named = new Set<string>()
  for (const [name, attempts] of Map.groupBy(journal, one => `${one.key} ${one.content ?? ''}`)) {
    const first = attempts[0] as JournalEntry
    named.add(first.key)
    if (first.original !== null && 'key' in first.original) named.add(first.original.key)
    const all = byKey.get(first.key) ?? []
    if (all.length > 1) findings.push({ check: 'C6', what: `key ${first.key} has ${all.length} decisions` })
    const stored = all.filter(one => first.content === null || one.content === '' || one.content === first.content)
    findings.push(...checkAttempts(name, attempts, stored, raw))
  }
  for (const decision of raw.decisions) {
    // A request to close is the operator's, not one of the load's.
    if (!named.has(decision.key) && !ownKey.test(decision.key) && decision.kind !== closeKind) {
      findings.push({ check: 'C4', what: `${nameOf(decision)} is in no journal` })
    }
  }
  return [...findings, ...checkRealTime(journal, byKey)]
}

function checkAttempts(
  name: string,
  attempts: readonly JournalEntry[],
  stored: readonly DecisionRow[],
  raw: Raw,
): Finding[] {
  const findings: Finding[] = []
  const decision = stored[0]
  const acknowledged = attempts.filter(({ outcome }) => outcome === 'ok')
  for (const entry of acknowledged) {
    if (decision === undefined || !isApproval(decision)) {
      findings.push({ check: 'C3', what: `${entry.command} ${name} was acknowledged and is not there` })
      continue
    }
    for (const [field, value] of differences(entry, decision)) {
      findings.push({ check: 'C3', what: `${entry.command} ${name} was told another ${field} than ${value}` })
    }
    findings.push(...checkEffect(entry, decision, raw))
  }
  const isRefused = acknowledged.length === 0 && attempts.every(({ outcome }) => outcome === 'fail')
  if (isRefused && decision !== undefined && (isApproval(decision) || decision.postings.some(moves))) {
    findings.push({ check: 'C5', what: `${attempts[0]?.command} ${name} was refused and has an effect` })
  }
  return findings
}

function differences({ answer }: JournalEntry, decision: DecisionRow): [string, unknown][] {
  const stored: Record<string, unknown> = {
    transaction: decision.txn,
    requested: String(decision.requested),
    authorized: String(decision.authorized),
    confirmed: String(decision.confirmed),
    reversed: String(decision.reversed),
    refunded: String(decision.refunded),
  }
  return Object.entries(stored).filter(([name, value]) => {
    const told = answer[name as keyof typeof answer]
    return told !== undefined && told !== value
  })
}

/** An acknowledged command has the effect that it is named for. */
function checkEffect(entry: JournalEntry, decision: DecisionRow, raw: Raw): Finding[] {
  const fail = (what: string): Finding[] => [{ check: 'C3', what: `${entry.command} ${entry.key}: ${what}` }]
  if (entry.command === 'inquire' || decision.kind === inquireKind) return []
  if (entry.command === 'authorize') {
    const moved = sumOf(decision.postings, one => one.pending + one.posted)
    if (moved === 0n || moved !== decision.authorized) return fail(`approved, and ${moved} was reserved`)
  }
  if (entry.command === 'reverse' && decision.txn === null && entry.original !== null && 'key' in entry.original) {
    const opened = raw.decisions.find(one => one.key === (entry.original as { key: string }).key)
    if (opened !== undefined && isApproval(opened))
      return fail('acknowledged, and its original was approved all the same')
  }
  return []
}

/** C11: what was acknowledged before another was sent comes before it in the order of all. */
function checkRealTime(
  journal: readonly JournalEntry[],
  byKey: ReadonlyMap<string, readonly DecisionRow[]>,
): Finding[] {
  const findings: Finding[] = []
  const sentAt = journal.flatMap(entry => {
    const decision = byKey.get(entry.key)?.[0]
    const isFirst = decision !== undefined && (entry.content === null || decision.content === entry.content)
    return isFirst ? [{ entry, batch: decision.batch }] : []
  })
  // The first attempt at a key is the one whose sending counts.
  const firstSent = new Map<string, { sent: number; batch: number }>()
  for (const { entry, batch } of sentAt) {
    const known = firstSent.get(entry.key)
    if (known === undefined || known.sent > entry.sent) firstSent.set(entry.key, { sent: entry.sent, batch })
  }
  const events = [
    ...[...firstSent].map(([key, { sent, batch }]) => ({ at: sent, batch, key, isAnswer: false })),
    ...sentAt.flatMap(({ entry, batch }) =>
      entry.answered === null || entry.outcome !== 'ok'
        ? []
        : [{ at: entry.answered, batch, key: entry.key, isAnswer: true }],
    ),
  ].sort((one, other) => one.at - other.at)
  let latest = { batch: -1, key: '' }
  for (const { batch, key, isAnswer } of events) {
    if (isAnswer) {
      if (batch > latest.batch) latest = { batch, key }
    } else if (batch < latest.batch) {
      findings.push({
        check: 'C11',
        what: `${key} was sent after ${latest.key} was answered, and is ordered before it`,
      })
    }
  }
  return findings
}
