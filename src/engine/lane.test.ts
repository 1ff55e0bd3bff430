import { describe, expect, test } from 'vitest'
import type { Catalog } from '../core/catalog.ts'
import type { Channel, Command } from '../core/commands.ts'
import type { Outcome } from '../core/decision.ts'
import { BatchError } from '../store/errors.ts'
import type { BatchOutcome, Executor } from './executor.ts'
import { Lane, type LaneLimits, laneLimits } from './lane.ts'
import type { Result } from './result.ts'

type Kind = 'authorize' | 'confirm' | 'confirmOfUnknown' | 'confirmByKey' | 'expire'

let keys = 0
/** What a lane looks at of a command. */
function commandOf(kind: Kind, tenant = 1, channel: Channel = 'terminal'): Command {
  const base = { key: String(++keys), tenant, channel }
  if (kind === 'confirmByKey') return { ...base, kind: 'confirm', original: { by: 'key', key: 'x' } } as Command
  if (kind === 'confirmOfUnknown') return { ...base, kind: 'confirm', original: { by: 'id', id: 2 } } as Command
  if (kind === 'confirm') return { ...base, kind, original: { by: 'id', id: decided } } as Command
  return { ...base, kind } as Command
}

/** The transaction that the switch has seen decided. */
const decided = 1
const holderOf = (command: Command): number | null =>
  command.kind === 'confirm' && command.original.by === 'id' && command.original.id === decided ? 7 : null

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
    for (const command of commands)
      void lane.submit(command, holderOf(command)).then(result => results.set(command, result))
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

const several = (count: number, kind: Kind, tenant = 1): Command[] =>
  Array.from({ length: count }, () => commandOf(kind, tenant))

describe('order', () => {
  test('follow-ups of what is decided go before new commands, which have a quarter of each batch', async () => {
    const { submit, next, close } = laneOf({ batchMax: 8 })
    submit(commandOf('authorize'))
    await next()
    const fresh = several(6, 'authorize')
    const [confirms, expiries] = [several(9, 'confirm'), several(1, 'expire')]
    submit(...fresh, ...confirms, ...expiries)
    expect(await next()).toEqual([...confirms.slice(0, 6), ...fresh.slice(0, 2)])
    expect(await next()).toEqual([...confirms.slice(6), ...expiries, ...fresh.slice(2)])
    await close()
  })

  test('without new commands follow-ups have all of a batch', async () => {
    const { submit, next, close } = laneOf({ batchMax: 8 })
    const confirms = several(10, 'confirm')
    submit(...confirms)
    expect(await next()).toEqual(confirms.slice(0, 8))
    await close()
  })

  test('a follow-up whose original may still be in the queue does not overtake it', async () => {
    const { submit, next, close } = laneOf({ batchMax: 8 })
    const [authorize, confirm] = [commandOf('authorize'), commandOf('confirmByKey')]
    submit(authorize, confirm)
    expect(await next()).toEqual([authorize, confirm])
    await close()
  })

  test('an id that somebody made up does not go ahead', async () => {
    const { submit, next, close } = laneOf({ batchMax: 8 })
    const [authorize, unknown, confirm] = [commandOf('authorize'), commandOf('confirmOfUnknown'), commandOf('confirm')]
    submit(authorize, unknown, confirm)
    expect(await next()).toEqual([confirm, authorize, unknown])
    await close()
  })

  test('follow-ups of one tenant do not hold up another', async () => {
    const { submit, next, clock, close } = laneOf({ batchMax: 4 })
    submit(commandOf('authorize'))
    await next()
    const other = commandOf('authorize', 2)
    submit(other)
    clock.seconds += 0.001
    const confirms = several(8, 'confirm')
    submit(...confirms)
    expect(await next()).toEqual([other])
    expect(await next()).toEqual(confirms.slice(0, 4))
    await close()
  })

  test('a batch that lost against another is run again before all others', async () => {
    const { submit, next, batches, close } = laneOf({ batchMax: 2 })
    const first = several(2, 'authorize')
    submit(...first)
    await next()
    submit(...several(4, 'confirm'))
    expect(await next(0, new BatchError('again', false, new Error('23505')))).toEqual(first)
    expect(batches.length).toBe(2)
    await close()
  })
})

describe('too much', () => {
  test('new commands are refused at once when the queue has so many of them; follow-ups are taken on', async () => {
    const { lane, submit, next, turn, refused, close } = laneOf({ batchMax: 4, queueMax: 8 })
    const fresh = several(10, 'authorize')
    submit(...fresh)
    await turn()
    expect(refused(fresh)).toEqual(fresh.slice(8))
    const confirms = several(8, 'confirm')
    submit(...confirms.slice(0, 4), ...confirms.slice(4))
    expect(lane.length).toBeLessThanOrEqual(16)
    await next()
    expect(refused(confirms)).toEqual([])
    await close()
  })

  test('with twice as many of all sorts there is no place for anything', async () => {
    const { lane, submit, turn, refused, close } = laneOf({ batchMax: 4, queueMax: 8 })
    const confirms = several(18, 'confirmByKey')
    submit(...confirms)
    expect([lane.length, lane.isFull]).toEqual([16, true])
    await turn()
    expect(refused(confirms)).toEqual(confirms.slice(16))
    await close()
  })

  test('new commands are refused at once when they would wait too long', async () => {
    const { submit, next, turn, refused, close } = laneOf({ batchMax: 4, queueMax: 1_000, admitMaxMs: 1_000 })
    submit(...several(20, 'authorize'))
    await next()
    // Four in 0.2 s: twenty in a second. There are 12.
    await next(0.2)
    const fresh = several(12, 'authorize')
    submit(...fresh)
    await turn()
    expect(refused(fresh)).toEqual(fresh.slice(9))
    const confirms = several(4, 'confirm')
    submit(...confirms)
    expect(await next(0.2)).toEqual([...confirms.slice(0, 3), expect.anything()])
    expect(refused(confirms)).toEqual([])
    await close()
  })

  test('less than a batch never waits too long', async () => {
    const { submit, next, turn, refused, close } = laneOf({ batchMax: 4, queueMax: 1_000, admitMaxMs: 1_000 })
    submit(...several(8, 'authorize'))
    await next()
    await next(4)
    const fresh = several(5, 'authorize')
    submit(...fresh)
    await turn()
    expect(refused(fresh)).toEqual([])
    await close()
  })

  test('when much has been refused nothing is read until the next batch', async () => {
    const { lane, submit, next, turn, drained, close } = laneOf({ batchMax: 8, queueMax: 16 })
    submit(...several(8, 'authorize'))
    await next()
    submit(...several(16, 'authorize'), commandOf('authorize'))
    expect(lane.isFull).toBe(false)
    submit(commandOf('authorize'))
    expect([lane.isFull, drained.times]).toEqual([true, 0])
    await next()
    await turn()
    expect([lane.isFull, drained.times]).toEqual([false, 1])
    await close()
  })

  test('what is refused to API clients does not keep terminals from being read', async () => {
    const { lane, submit, next, turn, refused, close } = laneOf({ batchMax: 8, queueMax: 16 })
    submit(...several(8, 'authorize'))
    await next()
    submit(...several(16, 'authorize'))
    const ofApi = Array.from({ length: 10 }, () => commandOf('authorize', 1, 'api'))
    submit(...ofApi)
    await turn()
    expect([lane.isFull, refused(ofApi).length]).toEqual([false, 10])
    await close()
  })

  test('what has waited too long makes room, also while a batch hangs', async () => {
    const { lane, submit, next, turn, clock, drained, refused, close } = laneOf({ batchMax: 2, queueMax: 2 })
    submit(commandOf('confirm'))
    await next()
    const confirms = several(4, 'confirm')
    submit(...confirms)
    expect(lane.isFull).toBe(true)
    clock.seconds += 6
    lane.dropStale()
    await turn()
    expect([lane.isFull, drained.times, refused(confirms).length]).toEqual([false, 1, 4])
    await close()
  })
})
