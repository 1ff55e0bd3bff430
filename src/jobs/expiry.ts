import { dayOf, type TransactionId } from '../core/ids.ts'
import { switchKey } from '../core/keys.ts'
import type { Submit } from '../engine/result.ts'
import { deleteDueHolds, readDueHolds, readOpenHolds } from '../store/expiry.ts'
import type { Pool } from '../store/pool.ts'

/** Batches whose holds are looked at in one round, and commands that are under way at once. */
const rowsMax = 64
const submitMax = 256

/**
 * Releases holds that nobody has confirmed in time, as commands through the engine: each has a key of its own, so that
 * several switches may do it at once. Answers how many holds it released.
 */
export async function expireHolds(pool: Pool, submit: Submit, tenant: number): Promise<number> {
  let released = 0
  for (;;) {
    const due = await readDueHolds(pool, tenant, rowsMax)
    if (due.length === 0) return released
    const open = await readOpenHolds(
      pool,
      tenant,
      due.flatMap(({ ids }) => ids),
    )
    const undecided = new Set(open)
    for (let from = 0; from < open.length; from += submitMax) {
      const ids = open.slice(from, from + submitMax)
      const results = await Promise.all(ids.map(id => submit.submit(expireCommand(tenant, id))))
      for (const [index, result] of results.entries()) {
        // Still authorized: by the clock of that batch it was not due.
        if (result.kind !== 'decided' || result.decision.phase === 'authorized') continue
        undecided.delete(ids[index] as TransactionId)
        if (result.decision.reason === 'approved') released += 1
      }
    }
    await deleteDueHolds(
      pool,
      due.filter(({ ids }) => !ids.some(id => undecided.has(id))),
    )
    // What is busy or away now is still due in the next round.
    if (undecided.size > 0) return released
  }
}

const expireCommand = (tenant: number, id: TransactionId) =>
  ({
    kind: 'expire',
    tenant,
    channel: 'switch',
    key: switchKey('expire', id),
    day: dayOf(id),
    content: '00',
    id,
  }) as const
