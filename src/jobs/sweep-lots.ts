import { breakageKey } from '../core/keys.ts'
import type { Submit } from '../engine/result.ts'
import type { Pool } from '../store/pool.ts'
import { readDueLots } from '../store/sweeps.ts'

const lotsMax = 256

/**
 * Books what is left on lots that have expired as breakage, as commands through the engine. The spend itself takes
 * nothing from them any more, so nobody waits for it. Answers how many lots it looked at.
 */
export async function sweepLots(pool: Pool, submit: Submit, tenant: number): Promise<number> {
  let swept = 0
  for (;;) {
    const due = await readDueLots(pool, tenant, lotsMax)
    const results = await Promise.all(
      due.map(({ holder, lot, due: since }) =>
        submit.submit({
          kind: 'breakage',
          tenant,
          channel: 'switch',
          key: breakageKey(lot, since),
          day: null,
          content: '00',
          holder,
          lot,
        }),
      ),
    )
    const done = results.filter(one => one.kind === 'decided' && one.decision.reason === 'approved').length
    swept += done
    // What is busy or away now is still due in the next round.
    if (due.length < lotsMax || done < due.length) return swept
  }
}
