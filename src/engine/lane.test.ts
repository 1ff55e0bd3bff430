import { expect, test } from 'vitest'
import type { Catalog } from '../core/catalog.ts'
import type { Command } from '../core/commands.ts'
import type { Outcome } from '../core/decision.ts'
import { BatchError } from '../store/errors.ts'
import type { BatchOutcome, Executor } from './executor.ts'
import { Lane, type LaneLimits, laneLimits } from './lane.ts'
import type { Result } from './result.ts'

let keys = 0
/** What a lane looks at of a command. */
const commandOf = (kind: 'authorize' | 'expire'): Command =>
  ({ kind, key: String(++keys), tenant: 1, channel: 'terminal' }) as Command
const several = (count: number, kind: 'authorize' | 'expire'): Command[] =>
  Array.from({ length: count }, () => commandOf(kind))

/** A lane whose batches end when they are told to, on a clock that stands still. */
function laneOf(limits: Partial<LaneLimits>) {
  const batches: Command[][] = []
  let end: ((error?: BatchError) => void) | undefined
  const clock = { seconds: 0 }
  const drained = { times: 0 }
  const executor = {
    isBroken: false,
    close: async () => {},
    destroy: () => {},
    run: (jobs: readonly { command: Command }[]): Promise<BatchOutcome> => {
      batches.push(jobs.map(({ command }) => command))
      const outcomes = jobs.map((): Outcome => ({ kind: 'other_content', stored: '' }))
      return new Promise((resolve, reject) => {
        end = error => {
          end = undefined
          if (error !== undefined) reject(error)
          else resolve({ outcomes, stages: { read: 0, decide: 0, write: 0 } })
        }
      })
    },
  } as unknown as Executor
  const lane = new Lane({
    limits: { ...laneLimits, ...limits },
    connect: async () => executor,
    catalogOf: () => ({}) as Catalog,
    events: { batch() {}, fault() {}, away() {}, back() {}, decided() {}, drained: () => void drained.times++ },
    elapsed: () => clock.seconds,
  })
  const results = new Map<Command, Result>()
  const submit = (...commands: Command[]): void => {
    for (const command of commands) void lane.submit(command, null).then(result => results.set(command, result))
  }
  const turn = (): Promise<void> => new Promise(resolve => setTimeout(resolve))
  return {
    ...{ lane, batches, clock, drained, submit, turn },
    refused: (commands: readonly Command[]) => commands.filter(one => results.get(one)?.kind === 'refused'),
    /** Ends the batch that is under way after so many seconds; answers what is in the next. */
    next: async (seconds = 0, error?: BatchError): Promise<Command[] | undefined> => {
      clock.seconds += seconds
      end?.(error)
      const before = batches.length
      for (let turns = 0; turns < 50 && batches.length === before; turns++) await turn()
      return batches[before]
    },
    /** Works off what is there. */
    close: async (): Promise<void> => {
      const closed = lane.close().then(() => true)
      while (!(await Promise.race([closed, turn()]))) end?.()
    },
  }
}

test('the first batch is what one turn of the event loop brings, the next what has come meanwhile', async () => {
  const { submit, next, close } = laneOf({ batchMax: 8 })
  const [first, second] = [several(3, 'authorize'), several(9, 'authorize')]
  submit(...first)
  expect(await next()).toEqual(first)
  submit(...second)
  expect(await next()).toEqual(second.slice(0, 8))
  expect(await next()).toEqual(second.slice(8))
  await close()
})

test('a batch that lost against another is run again before all others', async () => {
  const { submit, next, batches, close } = laneOf({ batchMax: 2 })
  const first = several(2, 'authorize')
  submit(...first)
  await next()
  submit(...several(4, 'expire'))
  expect(await next(0, new BatchError('again', false, new Error('23505')))).toEqual(first)
  expect(batches.length).toBe(2)
  await close()
})

test('what is too much is refused, and nothing more is read until the next batch', async () => {
  const { lane, submit, next, turn, drained, refused, close } = laneOf({ batchMax: 8, queueMax: 16 })
  submit(...several(8, 'authorize'))
  await next()
  const more = several(18, 'authorize')
  submit(...more)
  expect([lane.isFull, lane.length, drained.times]).toEqual([true, 16, 0])
  await next()
  await turn()
  expect([lane.isFull, drained.times, refused(more)]).toEqual([false, 1, more.slice(16)])
  await close()
})

test('what has waited too long is refused and makes room, also while a batch hangs', async () => {
  const { lane, submit, next, turn, clock, drained, refused, close } = laneOf({ batchMax: 2, queueMax: 2 })
  submit(commandOf('expire'))
  await next()
  const follow = several(4, 'expire')
  submit(...follow)
  expect(lane.isFull).toBe(true)
  clock.seconds += 6
  lane.dropStale()
  await turn()
  expect([lane.isFull, drained.times, refused(follow).length]).toEqual([false, 1, 4])
  await close()
})
