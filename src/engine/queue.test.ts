import { describe, expect, test } from 'vitest'
import type { Channel, Command } from '../core/commands.ts'
import { laneLimits } from './lane.ts'
import { Queue, type QueueLimits } from './queue.ts'

type Kind = 'authorize' | 'confirm' | 'confirmOfUnknown' | 'confirmByKey' | 'expire'

let keys = 0
/** What a queue looks at of a command. */
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

const several = (count: number, kind: Kind, tenant = 1): Command[] =>
  Array.from({ length: count }, () => commandOf(kind, tenant))

/** A queue on a clock that stands still. */
function queueOf(limits: Partial<QueueLimits>) {
  const clock = { seconds: 0 }
  const room = { times: 0 }
  const queue = new Queue({
    limits: { ...laneLimits, ...limits },
    elapsed: () => clock.seconds,
    hasRoom: () => void room.times++,
  })
  return {
    ...{ queue, clock, room },
    /** Answers those that are refused as busy. */
    submit: (...commands: Command[]): Command[] =>
      commands.filter(command => {
        if (!queue.admits(command)) return true
        queue.add(command, holderOf(command), null, () => {})
        return false
      }),
    /** The next batch, after so many seconds. */
    take: (seconds = 0): Command[] => {
      clock.seconds += seconds
      return queue.take().batch.map(({ command }) => command)
    },
    turn: (): Promise<void> => new Promise(resolve => setTimeout(resolve)),
  }
}

describe('order', () => {
  test('follow-ups of what is decided go before new commands, which have a quarter of each batch', () => {
    const { submit, take } = queueOf({ batchMax: 8 })
    const fresh = several(6, 'authorize')
    const [confirms, expiries] = [several(9, 'confirm'), several(1, 'expire')]
    submit(...fresh, ...confirms, ...expiries)
    expect(take()).toEqual([...confirms.slice(0, 6), ...fresh.slice(0, 2)])
    expect(take()).toEqual([...confirms.slice(6), ...expiries, ...fresh.slice(2)])
  })

  test('without new commands follow-ups have all of a batch', () => {
    const { submit, take } = queueOf({ batchMax: 8 })
    const confirms = several(10, 'confirm')
    submit(...confirms)
    expect(take()).toEqual(confirms.slice(0, 8))
  })

  test('a follow-up whose original may still be in the queue does not overtake it', () => {
    const { submit, take } = queueOf({ batchMax: 8 })
    const [authorize, confirm] = [commandOf('authorize'), commandOf('confirmByKey')]
    submit(authorize, confirm)
    expect(take()).toEqual([authorize, confirm])
  })

  test('an id that somebody made up does not go ahead', () => {
    const { submit, take } = queueOf({ batchMax: 8 })
    const [authorize, unknown, confirm] = [commandOf('authorize'), commandOf('confirmOfUnknown'), commandOf('confirm')]
    submit(authorize, unknown, confirm)
    expect(take()).toEqual([confirm, authorize, unknown])
  })

  test('follow-ups of one tenant do not hold up another', () => {
    const { submit, take, clock } = queueOf({ batchMax: 4 })
    const other = commandOf('authorize', 2)
    submit(other)
    clock.seconds += 0.001
    const confirms = several(8, 'confirm')
    submit(...confirms)
    expect(take()).toEqual([other])
    expect(take()).toEqual(confirms.slice(0, 4))
  })

  test('what was in a batch before goes before all others', () => {
    const { queue, submit, take } = queueOf({ batchMax: 4 })
    const first = several(2, 'authorize')
    submit(...first)
    const { batch } = queue.take()
    submit(...several(4, 'confirm'))
    queue.putFirst(batch)
    expect(take().slice(0, 2)).toEqual(first)
  })

  test('what somebody else has locked has a quarter of every other batch, and all of one if nothing else waits', () => {
    const { queue, submit, take } = queueOf({ batchMax: 8 })
    const [locked, fresh] = [several(6, 'authorize'), several(14, 'authorize')]
    submit(...locked)
    queue.putAside(queue.take().batch)
    submit(...fresh)
    expect([queue.length, queue.asideLength]).toEqual([20, 6])
    expect(take()).toEqual(fresh.slice(0, 8))
    expect(take()).toEqual([...locked.slice(0, 2), ...fresh.slice(8)])
    expect(take()).toEqual(locked.slice(2))
  })
})

describe('too much', () => {
  test('new commands are refused at once when the queue has so many of them; follow-ups are taken on', () => {
    const { queue, submit } = queueOf({ batchMax: 4, queueMax: 8 })
    const fresh = several(10, 'authorize')
    expect(submit(...fresh)).toEqual(fresh.slice(8))
    expect(submit(...several(8, 'confirm'))).toEqual([])
    expect(queue.length).toBe(16)
  })

  test('with twice as many of all sorts there is no place for anything', () => {
    const { queue, submit } = queueOf({ batchMax: 4, queueMax: 8 })
    const confirms = several(18, 'confirmByKey')
    expect(submit(...confirms)).toEqual(confirms.slice(16))
    expect([queue.length, queue.isFull]).toEqual([16, true])
  })

  test('new commands are refused at once when they would wait too long', () => {
    const { submit, take } = queueOf({ batchMax: 4, queueMax: 1_000, admitMaxMs: 1_000 })
    submit(...several(20, 'authorize'))
    take()
    // Four in 0.2 s: twenty in a second. There are 12.
    take(0.2)
    const fresh = several(12, 'authorize')
    expect(submit(...fresh)).toEqual(fresh.slice(9))
    const confirms = several(4, 'confirm')
    expect(submit(...confirms)).toEqual([])
    expect(take(0.2)).toEqual([...confirms.slice(0, 3), expect.anything()])
  })

  test('less than a batch never waits too long', () => {
    const { submit, take } = queueOf({ batchMax: 4, queueMax: 1_000, admitMaxMs: 1_000 })
    submit(...several(8, 'authorize'))
    take()
    take(4)
    expect(submit(...several(5, 'authorize'))).toEqual([])
  })

  test('when much has been refused nothing is read until the next batch', async () => {
    const { queue, submit, take, turn, room } = queueOf({ batchMax: 8, queueMax: 16 })
    submit(...several(16, 'authorize'), commandOf('authorize'))
    expect(queue.isFull).toBe(false)
    submit(commandOf('authorize'))
    expect([queue.isFull, room.times]).toEqual([true, 0])
    take()
    await turn()
    expect([queue.isFull, room.times]).toEqual([false, 1])
  })

  test('what is refused to API clients does not keep terminals from being read', () => {
    const { queue, submit } = queueOf({ batchMax: 8, queueMax: 16 })
    submit(...several(16, 'authorize'))
    const ofApi = Array.from({ length: 10 }, () => commandOf('authorize', 1, 'api'))
    expect(submit(...ofApi)).toEqual(ofApi)
    expect(queue.isFull).toBe(false)
  })
})

describe('what has waited too long', () => {
  test('is in no batch, and is told', () => {
    const { queue, submit, clock } = queueOf({ waitMaxMs: 5_000 })
    const [old, young] = [commandOf('confirm'), commandOf('authorize')]
    submit(old)
    clock.seconds += 5.001
    submit(young)
    const { batch, stale } = queue.take()
    expect([batch, stale].map(jobs => jobs.map(({ command }) => command))).toEqual([[young], [old]])
  })

  test('makes room', async () => {
    const { queue, submit, clock, turn, room } = queueOf({ queueMax: 2 })
    const confirms = several(4, 'confirm')
    submit(...confirms)
    expect(queue.isFull).toBe(true)
    clock.seconds += 6
    expect(queue.dropStale().map(({ command }) => command)).toEqual(confirms)
    await turn()
    expect([queue.isFull, room.times]).toEqual([false, 1])
  })

  test('waits for longer where its outcome is in doubt, also when all else is given up', () => {
    const { queue, submit, clock, take } = queueOf({ batchMax: 2, waitMaxMs: 5_000, doubtMaxMs: 20_000 })
    const doubtful = several(2, 'authorize')
    submit(...doubtful)
    const { batch } = queue.take()
    for (const job of batch) job.inDoubt = true
    queue.putFirst(batch)
    const others = [...several(3, 'authorize'), ...several(1, 'confirm')]
    submit(...others)
    clock.seconds += 19
    expect(queue.shed().map(({ command }) => command)).toEqual([others[3], ...others.slice(0, 3)])
    expect(take()).toEqual(doubtful)
    queue.putFirst(batch)
    clock.seconds += 1.001
    expect(queue.dropStale()).toEqual(batch)
    expect(queue.length).toBe(0)
  })
})
