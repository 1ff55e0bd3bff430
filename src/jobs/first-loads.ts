import { switchKey } from '../core/keys.ts'
import type { Submit } from '../engine/result.ts'
import type { Pool } from '../store/pool.ts'
import { readEmptyLots } from '../store/seed.ts'

const submitMax = 256

/** Loads the lots of the demo tenant that are still empty, each with the amount of its program. */
export async function loadEmptyLots(
  pool: Pool,
  submit: Submit,
  tenant: number,
  amountOf: (program: string) => bigint,
): Promise<void> {
  const lots = await readEmptyLots(pool, tenant)
  for (let from = 0; from < lots.length; from += submitMax) {
    const results = await Promise.all(
      lots.slice(from, from + submitMax).map(({ lot, holder, program }) =>
        submit.submit({
          kind: 'load',
          tenant,
          channel: 'switch',
          key: switchKey('load', lot),
          day: null,
          content: '00',
          holder,
          lot,
          amount: amountOf(program),
        }),
      ),
    )
    if (results.some(({ kind }) => kind !== 'decided')) throw new Error('the demo tenant could not be loaded')
  }
}
