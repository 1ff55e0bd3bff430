import { setTimeout as sleep } from 'node:timers/promises'
import type { Result } from '../../src/engine/result.ts'
import { type CommandsOf, type JournaledClient, newClientKey, newKey, originalKey } from './commands.ts'
import { tokenOf } from './switch.ts'

/** A small generator with a seed, so that a run can be had again: mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface MixedLoadOptions {
  readonly client: JournaledClient
  readonly commands: CommandsOf
  readonly cards: number
  readonly workers: number
  /** Purchases of one worker, at most. */
  readonly purchases: number
  readonly seed: number
  /** Ends the load early. */
  readonly isOver?: () => boolean
  readonly onResult?: (result: Result) => void
}

/**
 * Workers that each make one purchase after the other, 30 % of them on card 1: authorize, then confirm in whole or in
 * part, reverse, reverse by the key alone, refund, repeats, or nothing at all.
 */
export async function runMixedLoad(options: MixedLoadOptions): Promise<void> {
  const { client, commands, cards, workers, purchases, seed, isOver = () => false, onResult } = options
  const work = async (worker: number): Promise<void> => {
    const random = randomOf(seed * 1_000 + worker)
    const send: JournaledClient['send'] = async command => {
      const result = await client.send(command)
      onResult?.(result)
      // Whoever is refused at once does not ask again in the same breath.
      if (result.kind === 'refused') await sleep(5)
      return result
    }
    for (let count = 0; count < purchases && !isOver(); count++) {
      const card = tokenOf(random() < 0.3 ? 1 : 1 + Math.floor(random() * cards))
      const key = random() < 0.5 ? newKey() : newClientKey()
      const amount = BigInt(1 + Math.floor(random() * 10_000))
      const authorize = commands.authorize({ card, key, amount, capture: random() < 0.1 })
      const original = originalKey(authorize)
      const dice = random()
      if (dice < 0.05) {
        // The reverse crosses its authorize.
        await Promise.all([send(authorize), send(commands.reverse(original))])
        continue
      }
      const opened = await send(authorize)
      if (opened.kind === 'decided' && opened.decision.amounts?.authorized === 0n) continue
      const part = amount > 1n ? amount / 2n : amount
      if (dice < 0.5) await send(commands.confirm(original))
      else if (dice < 0.6) await send(commands.confirm(original, { amount: part }))
      else if (dice < 0.7) await send(commands.reverse(original))
      else if (dice < 0.8) await send(commands.reverse(original, { extent: { by: 'off', amount: part } }))
      else if (dice < 0.85) await send(authorize)
      if (random() < 0.1) await send(commands.refund(original, { amount: 1n }))
      if (random() < 0.05) await send(commands.inquire({ card }))
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
}

/** A mixed load beside what is played. It ends with it, however that ends: what comes after is in nobody's way. */
export async function besideMixedLoad(
  options: Omit<MixedLoadOptions, 'isOver'>,
  play: () => Promise<void>,
): Promise<void> {
  let isOver = false
  const played = play().finally(() => {
    isOver = true
  })
  const ends = await Promise.allSettled([played, runMixedLoad({ ...options, isOver: () => isOver })])
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
