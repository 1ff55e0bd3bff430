import { createHash } from 'node:crypto'
import {
  authorizeKind,
  confirmKind,
  expireKind,
  type Finding,
  isApproval,
  moves,
  nameOf,
  phase,
  refundTransaction,
  reverseKind,
  sumOf,
} from './checker-words.ts'
import type { Raw } from './raw-ledger.ts'

/** C5: a refusal moves nothing, whoever asked. */
export function checkRefusals({ decisions }: Raw): Finding[] {
  return decisions
    .filter(one => !isApproval(one) && one.postings.some(moves))
    .map(one => ({ check: 'C5' as const, what: `${nameOf(one)} is a refusal that moved money` }))
}

/** C8: captured + released + expired + open = authorized, none resolved twice, none captured after it ran out. */
export function checkHolds({ transactions, decisionsOf }: Raw): Finding[] {
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
export function checkOrder({ decisionsOf }: Raw): Finding[] {
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
export function checkBatches({ batches, decisions }: Raw): Finding[] {
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
