import type { Catalog } from '../core/catalog.ts'
import { switchKey } from '../core/keys.ts'
import { noNote } from '../core/loads.ts'
import type { Submit } from '../engine/result.ts'
import type { Pool } from '../store/pool.ts'
import { readUnloadedHolders } from '../store/seed.ts'

const submitMax = 256
/** Numbers of holders are below this, so that each load of each of them has a key of its own. */
const holderSpan = 2 ** 40

interface FirstLoad {
  readonly program: string
  readonly funder: string
  /** Cards by the order of their holders, from 1; both included. */
  readonly fromCard: number
  readonly toCard: number
  readonly amount: bigint
}

/** Loads the cards of a demo tenant, each once: those that have credit of the program already are left alone. */
export async function makeFirstLoads(
  pool: Pool,
  submit: Submit,
  catalog: Catalog,
  loads: readonly FirstLoad[],
): Promise<void> {
  const tenant = catalog.tenant.id
  const programs = [...catalog.programsById.values()]
  const funders = [...catalog.fundersById.values()]
  for (const [index, { program: code, funder, fromCard, toCard, amount }] of loads.entries()) {
    const program = programs.find(one => one.code === code)?.id ?? 0
    const funderId = funders.find(one => one.code === funder)?.id ?? 0
    const holders = await readUnloadedHolders(pool, tenant, program, fromCard, toCard)
    for (let from = 0; from < holders.length; from += submitMax) {
      const results = await Promise.all(
        holders.slice(from, from + submitMax).map(holder =>
          submit.submit({
            kind: 'load',
            tenant,
            channel: 'switch',
            key: switchKey('load', index * holderSpan + holder),
            day: null,
            content: '00',
            holder,
            program,
            funder: funderId,
            amount,
            expiresAt: 'terms',
            note: noNote,
          }),
        ),
      )
      const isLoaded = results.every(one => one.kind === 'decided' && one.decision.reason === 'approved')
      if (!isLoaded) throw new Error(`the first loads of program ${code} could not be made`)
    }
  }
}
