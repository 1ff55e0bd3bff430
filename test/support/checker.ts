import { createHash } from 'node:crypto'
import pg from 'pg'
import type { JournalEntry } from './journal.ts'
import {
  type DecisionRow,
  type PostingRow,
  type Raw,
  readRaw,
  type SettlementRow,
  type TransactionRow,
} from './raw-ledger.ts'

/** The checks by their names in the list of faults, and that of the settlements, which is part of C4 there. */
export type CheckName = 'C1' | 'C2' | 'C3' | 'C4' | 'C5' | 'C6' | 'C7' | 'C8' | 'C11' | 'C12' | 'settlements'

export interface Finding {
  readonly check: CheckName
  readonly what: string
}

/** Written apart from the core on purpose: its own SQL, its own numbers for kinds, phases and reasons, its own sums. */
const authorizeKind = 0
const confirmKind = 1
const reverseKind = 2
const expireKind = 4
const inquireKind = 5
const settleKind = 7
const refundTransaction = 2
const phase = { refused: 0, authorized: 1, confirmed: 2, reversed: 3, expired: 4 } as const
const approvals = new Set([0, 1])
/** The first byte of keys that the switch makes for itself. */
const ownKey = /^ff/

const isApproval = (decision: DecisionRow): boolean => approvals.has(decision.reason)
const moves = (posting: PostingRow): boolean => posting.pending !== 0n || posting.posted !== 0n
const nameOf = ({ key, day }: { key: string; day: number }): string => `decision ${key} of day ${day}`

/** All checks on one snapshot of a live database. `journal`: of all clients there were; null: without their checks. */
export async function audit(url: string, journal: readonly JournalEntry[] | null = null): Promise<Finding[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    return await check(client, journal)
  } finally {
    await client.end()
  }
}

/** All checks, in the transaction that the client has open. Everything found, nothing if all is well. */
export async function check(client: pg.Client, journal: readonly JournalEntry[] | null): Promise<Finding[]> {
  const raw = await readRaw(client)
  return [
    ...checkSums(raw),
    ...checkLots(raw),
    ...checkTransactions(raw),
    ...checkRefusals(raw),
    ...checkHolds(raw),
    ...checkOrder(raw),
    ...checkBatches(raw),
    ...checkSettlements(raw),
    ...(journal === null ? [] : checkJournal(raw, journal)),
  ]
}

/** The names of the checks that found something, each once. */
export const redOf = (findings: readonly Finding[]): CheckName[] => [...new Set(findings.map(one => one.check))].sort()

/** C1: what the lots have by their stored counters is what the other accounts do not have by their postings. */
function checkSums({ lots, accounts, decisions }: Raw): Finding[] {
  const findings: Finding[] = []
  const posted = new Map<number, bigint>()
  const pending = new Map<number, bigint>()
  const add = (sums: Map<number, bigint>, asset: number, amount: bigint): void => {
    sums.set(asset, (sums.get(asset) ?? 0n) + amount)
  }
  for (const lot of lots.values()) {
    add(posted, lot.asset, lot.creditsPosted - lot.debitsPosted)
    add(pending, lot.asset, lot.creditsPending - lot.debitsPending)
  }
  const assetOf = (account: number): number | undefined =>
    account > 0 ? lots.get(account)?.asset : accounts.get(account)?.asset
  for (const decision of decisions) {
    for (const one of decision.postings) {
      const [debit, credit] = [assetOf(one.debit), assetOf(one.credit)]
      if (debit === undefined || debit !== credit || one.debit === one.credit || one.posted < 0n) {
        findings.push({ check: 'C1', what: `${nameOf(decision)}: a posting from ${one.debit} to ${one.credit}` })
        continue
      }
      if (one.debit < 0) {
        add(posted, debit, -one.posted)
        add(pending, debit, -one.pending)
      }
      if (one.credit < 0) {
        add(posted, debit, one.posted)
        add(pending, debit, one.pending)
      }
    }
  }
  for (const [name, sums] of Object.entries({ posted, pending })) {
    for (const [asset, sum] of sums) {
      if (sum !== 0n) findings.push({ check: 'C1', what: `asset ${asset}: ${name} sums to ${sum}` })
    }
  }
  return findings
}

/** C2 and C7: each lot's counters are the fold of its postings, and at no step of the fold is it beyond its limit. */
function checkLots({ lots, decisions, transactions }: Raw): Finding[] {
  const findings: Finding[] = []
  const folds = new Map<number, { dPending: bigint; dPosted: bigint; cPending: bigint; cPosted: bigint }>()
  const foldOf = (lot: number) => {
    const fold = folds.get(lot) ?? { dPending: 0n, dPosted: 0n, cPending: 0n, cPosted: 0n }
    folds.set(lot, fold)
    return fold
  }
  for (const decision of decisions) {
    for (const { debit, credit, pending, posted } of decision.postings) {
      if (debit > 0) {
        const fold = foldOf(debit)
        fold.dPending += pending
        fold.dPosted += posted
      }
      if (credit > 0) {
        const fold = foldOf(credit)
        fold.cPending += pending
        fold.cPosted += posted
      }
    }
    for (const { debit, credit } of decision.postings) {
      for (const id of [debit, credit].filter(account => account > 0)) {
        const { dPending, dPosted, cPending, cPosted } = foldOf(id)
        const room = cPosted + (lots.get(id)?.limit ?? 0n) - dPosted - dPending
        if (room < 0n)
          findings.push({ check: 'C7', what: `lot ${id} is ${-room} beyond its limit at ${nameOf(decision)}` })
        if (dPending < 0n || cPending < 0n) {
          findings.push({ check: 'C7', what: `lot ${id} holds less than nothing at ${nameOf(decision)}` })
        }
      }
    }
  }
  const held = new Map<number, bigint>()
  for (const { legs } of transactions.values()) {
    for (const leg of legs) held.set(leg.lot, (held.get(leg.lot) ?? 0n) + leg.held)
  }
  for (const [id, lot] of lots) {
    const fold = foldOf(id)
    const pairs: readonly (readonly [string, bigint, bigint])[] = [
      ['debits pending', lot.debitsPending, fold.dPending],
      ['debits posted', lot.debitsPosted, fold.dPosted],
      ['credits pending', lot.creditsPending, fold.cPending],
      ['credits posted', lot.creditsPosted, fold.cPosted],
      ['debits pending (open holds)', lot.debitsPending, held.get(id) ?? 0n],
    ]
    for (const [name, stored, sum] of pairs) {
      if (stored !== sum) findings.push({ check: 'C2', what: `lot ${id}: ${name} ${stored}, by its postings ${sum}` })
    }
  }
  return findings
}

/** C2: each transaction as it stands is the fold of its decisions; C4: none without the decision that opened it. */
function checkTransactions({ transactions, decisions, decisionsOf }: Raw): Finding[] {
  const findings: Finding[] = []
  const refundsOf = new Map<number, TransactionRow[]>()
  for (const one of transactions.values()) {
    if (one.original !== null) refundsOf.set(one.original, [...(refundsOf.get(one.original) ?? []), one])
  }
  for (const decision of decisions) {
    if (decision.txn !== null && !transactions.has(decision.txn)) {
      findings.push({ check: 'C2', what: `${nameOf(decision)}: its transaction ${decision.txn} is not there` })
    }
  }
  for (const one of transactions.values()) {
    const own = decisionsOf.get(one.id) ?? []
    if (own.length === 0) {
      findings.push({ check: 'C4', what: `transaction ${one.id}: no decision has opened it` })
      continue
    }
    const expected = expectationOf(one, own, refundsOf.get(one.id) ?? [], decisionsOf)
    for (const [name, value] of Object.entries(expected)) {
      const stored = name.startsWith('leg ') ? legText(one, name) : String(one[name as keyof TransactionRow])
      if (stored !== value) {
        findings.push({ check: 'C2', what: `transaction ${one.id}: ${name} ${stored}, by its decisions ${value}` })
      }
    }
  }
  return findings
}

const legText = ({ legs }: TransactionRow, name: string): string => {
  const leg = legs.find(({ lot }) => name === `leg ${lot}`)
  return leg === undefined ? '0 0' : `${leg.held} ${leg.posted}`
}

const sumOf = (postings: readonly PostingRow[], amount: (posting: PostingRow) => bigint): bigint =>
  postings.reduce((sum, posting) => sum + amount(posting), 0n)
const taken = (one: PostingRow): bigint => (one.debit > 0 ? one.posted : 0n)
const given = (one: PostingRow): bigint => (one.credit > 0 ? one.posted : 0n)

function expectationOf(
  transaction: TransactionRow,
  own: readonly DecisionRow[],
  refunds: readonly TransactionRow[],
  decisionsOf: ReadonlyMap<number, readonly DecisionRow[]>,
): Record<string, string> {
  const isRefund = transaction.kind === refundTransaction
  const postings = own.flatMap(one => one.postings)
  const refundPostings = refunds.flatMap(one => (decisionsOf.get(one.id) ?? []).flatMap(({ postings: list }) => list))
  const opening = own[0] as DecisionRow
  const released = sumOf(
    own.filter(one => one.kind === reverseKind).flatMap(one => one.postings),
    one => -one.pending,
  )
  const opened = sumOf(opening.postings, one => one.pending + one.posted)
  const sums = isRefund
    ? { authorized: opened, confirmed: sumOf(postings, given), reversed: sumOf(postings, taken), refunded: 0n }
    : {
        authorized: opened,
        confirmed: sumOf(postings, taken),
        reversed: sumOf(postings, given) + released,
        refunded: sumOf(refundPostings, given) - sumOf(refundPostings, taken),
      }
  const expected: Record<string, string> = {
    phase: String(phaseAfter(own, isRefund)),
    ...Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, String(sum)])),
  }
  const all = isRefund ? postings : [...postings, ...refundPostings]
  for (const lot of new Set(all.map(one => (one.debit > 0 ? one.debit : one.credit)))) {
    const of = all.filter(one => one.debit === lot || one.credit === lot)
    const net = sumOf(of, taken) - sumOf(of, given)
    expected[`leg ${lot}`] = `${sumOf(of, one => one.pending)} ${isRefund ? -net : net}`
  }
  return expected
}

/** Walks through the decisions of a transaction: where they leave it. */
function phaseAfter(own: readonly DecisionRow[], isRefund: boolean): number {
  let at: number = phase.refused
  for (const decision of own) {
    if (!isApproval(decision) || !decision.postings.some(moves)) continue
    if (isRefund && at === phase.refused) at = phase.confirmed
    else if (decision.kind === authorizeKind) {
      at = decision.postings.some(one => one.pending > 0n) ? phase.authorized : phase.confirmed
    } else if (decision.kind === confirmKind) at = phase.confirmed
    else if (decision.kind === expireKind) at = phase.expired
    else if (decision.kind === reverseKind && decision.postings.every(one => one.remaining === 0n)) at = phase.reversed
  }
  return at
}

/** C5: a refusal moves nothing, whoever asked. */
function checkRefusals({ decisions }: Raw): Finding[] {
  return decisions
    .filter(one => !isApproval(one) && one.postings.some(moves))
    .map(one => ({ check: 'C5' as const, what: `${nameOf(one)} is a refusal that moved money` }))
}

/** C8: captured + released + expired + open = authorized, none resolved twice, none captured after it ran out. */
function checkHolds({ transactions, decisionsOf }: Raw): Finding[] {
  const findings: Finding[] = []
  for (const one of transactions.values()) {
    if (one.kind === refundTransaction) continue
    const moving = (decisionsOf.get(one.id) ?? []).filter(({ postings }) =>
      postings.some(posting => posting.pending !== 0n),
    )
    const held = sumOf(
      moving.filter(({ kind }) => kind === authorizeKind).flatMap(({ postings }) => postings),
      p => p.pending,
    )
    if (held === 0n && moving.length === 0) continue
    const confirms = moving.filter(({ kind }) => kind === confirmKind)
    const captured = sumOf(
      confirms.flatMap(({ postings }) => postings),
      p => p.posted,
    )
    const released =
      sumOf(
        confirms.flatMap(({ postings }) => postings),
        p => -p.pending - p.posted,
      ) +
      sumOf(
        moving.filter(({ kind }) => kind === reverseKind).flatMap(({ postings }) => postings),
        p => -p.pending,
      )
    const expires = moving.filter(({ kind }) => kind === expireKind)
    const expired = sumOf(
      expires.flatMap(({ postings }) => postings),
      p => -p.pending,
    )
    const open = one.legs.reduce((sum, leg) => sum + leg.held, 0n)
    const sum = `captured ${captured} + released ${released} + expired ${expired} + open ${open}`
    const text = `transaction ${one.id}: ${sum}`
    if (captured + released + expired + open !== one.authorized || held !== one.authorized) {
      findings.push({ check: 'C8', what: `${text} is not ${one.authorized}` })
    }
    if (released < 0n || (open !== 0n && one.phase !== phase.authorized)) findings.push({ check: 'C8', what: text })
    if (confirms.length + expires.length > 1) findings.push({ check: 'C8', what: `${text}: resolved twice` })
    for (const confirm of confirms) {
      if (one.expiresAt !== null && confirm.at > one.expiresAt) {
        findings.push({ check: 'C8', what: `${text}: captured after it had run out` })
      }
    }
  }
  return findings
}

/** C11: the decisions on one transaction have their times in their order. */
function checkOrder({ decisionsOf }: Raw): Finding[] {
  const findings: Finding[] = []
  for (const [id, own] of decisionsOf) {
    own.forEach((one, index) => {
      const before = own[index - 1]
      if (before !== undefined && before.at > one.at) {
        findings.push({
          check: 'C11',
          what: `transaction ${id}: ${nameOf(one)} is dated before the one that it follows`,
        })
      }
    })
  }
  return findings
}

/** C12: every batch is whole, and the hash chain of every run is what its decisions make it. */
function checkBatches({ batches, decisions }: Raw): Finding[] {
  const findings: Finding[] = []
  const byBatch = Map.groupBy(decisions, one => one.batch)
  const known = new Set(batches.map(({ seq }) => seq))
  for (const [seq, list] of byBatch) {
    if (!known.has(seq)) findings.push({ check: 'C12', what: `batch ${seq}: ${list.length} decisions, but no batch` })
  }
  for (const [run, links] of Map.groupBy(batches, one => one.run)) {
    let previous = ''
    links.sort((one, other) => one.position - other.position)
    links.forEach((link, position) => {
      const own = byBatch.get(link.seq) ?? []
      const isWhole = own.length === link.decisions && own.every((one, idx) => one.idx === idx && one.at === link.at)
      if (!isWhole)
        findings.push({ check: 'C12', what: `batch ${link.seq}: ${own.length} of ${link.decisions} decisions` })
      if (link.position !== position)
        findings.push({ check: 'C12', what: `run ${run}: a link before ${link.seq} is gone` })
      const text = own.map(one => `\n${one.chainLine}`).join('')
      const hash = createHash('sha256').update(`${previous}|${link.seq}|${link.at}${text}`).digest('hex')
      if (hash !== link.hash) findings.push({ check: 'C12', what: `batch ${link.seq}: its hash is of something else` })
      previous = link.hash
    })
  }
  return findings
}

/** Every posting to a merchant is in exactly one settlement, once that has come to it, and a purchase in no other. */
function checkSettlements(raw: Raw): Finding[] {
  const findings: Finding[] = []
  const red = (what: string): void => {
    findings.push({ check: 'settlements', what })
  }
  for (const list of Map.groupBy(raw.settlements, one => one.merchant).values()) {
    list.forEach((one, index) => {
      const before = list[index - 1]
      if (one.number !== index + 1) red(`settlement ${one.id} is number ${one.number}, not ${index + 1}`)
      if (one.afterBatch !== (before?.upToBatch ?? -1)) red(`settlement ${one.id} does not begin where the last ended`)
      if (one.isPosted) for (const what of objectionsTo(one, raw)) red(`settlement ${one.id}: ${what}`)
    })
  }
  const purchases = raw.settlements
    .flatMap(({ lines }) => lines.map(({ txn }) => txn))
    .filter(txn => raw.transactions.get(txn)?.kind !== refundTransaction)
  for (const [txn, times] of Map.groupBy(purchases, one => one)) {
    if (times.length > 1) red(`transaction ${txn} is in ${times.length} settlements`)
  }
  return findings
}

function objectionsTo(one: SettlementRow, { decisions, transactions }: Raw): string[] {
  const objections: string[] = []
  const owed = new Map<number, bigint>()
  let settled = 0n
  for (const decision of decisions) {
    for (const { debit, credit, posted } of decision.postings) {
      if (decision.kind === settleKind && decision.key === settleKey(one.id)) {
        settled += credit === one.clearing && debit === one.payable ? posted : -posted
      }
      if (decision.txn === null || decision.batch <= one.afterBatch || decision.batch > one.upToBatch) continue
      const change = (credit === one.payable ? posted : 0n) - (debit === one.payable ? posted : 0n)
      owed.set(decision.txn, (owed.get(decision.txn) ?? 0n) + change)
    }
  }
  const lines = new Map(one.lines.map(({ txn, amount }) => [txn, amount]))
  for (const [txn, amount] of owed) {
    if (amount !== (lines.get(txn) ?? 0n))
      objections.push(`${txn} moved ${amount}, and its line says ${lines.get(txn)}`)
  }
  for (const txn of lines.keys()) if (!owed.has(txn)) objections.push(`${txn} has a line, and did not move`)
  const sum = (of: (txn: number) => boolean): bigint =>
    one.lines.filter(({ txn }) => of(txn)).reduce((total, { amount }) => total + amount, 0n)
  const isRefund = (txn: number): boolean => transactions.get(txn)?.kind === refundTransaction
  if (sum(() => true) !== one.net) objections.push(`its net is ${one.net}, and its lines sum to ${sum(() => true)}`)
  if (sum(txn => !isRefund(txn)) !== one.purchases) objections.push(`its purchases are not ${one.purchases}`)
  if (-sum(isRefund) !== one.refunds) objections.push(`its refunds are not ${one.refunds}`)
  if (settled !== one.net) objections.push(`${settled} was moved to clearing, not ${one.net}`)
  return objections
}

/** The key of the switch's own posting of a settlement: purpose 3. */
const settleKey = (id: number): string => `ff03${id.toString(16).padStart(28, '0')}`

/** C3 to C6 and C11, against what the clients sent and were told. */
function checkJournal(raw: Raw, journal: readonly JournalEntry[]): Finding[] {
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
    if (!named.has(decision.key) && !ownKey.test(decision.key)) {
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
