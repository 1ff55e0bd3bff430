import { expect, test } from 'vitest'
import type { Command } from '../core/commands.ts'
import type { Transaction } from '../core/transactions.ts'
import { RecentHolds } from './recent-holds.ts'
import type { Result } from './result.ts'

const authorize = (tenant: number) => ({ kind: 'authorize', tenant }) as Command
const confirm = (tenant: number, id: number) => ({ kind: 'confirm', tenant, original: { by: 'id', id } }) as Command
const decided = (id: number, over: { phase?: Transaction['phase']; replayed?: boolean } = {}) =>
  ({
    kind: 'decided',
    transaction: { id, phase: over.phase ?? 'authorized' },
    replayed: over.replayed ?? false,
  }) as Result

test('a hold is given out once, to a confirm of its own tenant', () => {
  const holds = new RecentHolds(4)
  holds.note(authorize(1), decided(7))
  expect(holds.take(confirm(2, 7))).toBeNull()
  expect(holds.take({ kind: 'reverse', tenant: 1, original: { by: 'id', id: 7 } } as Command)).toBeNull()
  expect(holds.take({ kind: 'confirm', tenant: 1, original: { by: 'ambiguity' } } as Command)).toBeNull()
  expect(holds.take(confirm(1, 8))).toBeNull()
  expect(holds.take(confirm(1, 7))).toEqual({ id: 7, phase: 'authorized' })
  expect(holds.take(confirm(1, 7))).toBeNull()
})

test.each<[string, Command, Result]>([
  ['no authorize', confirm(1, 7), decided(7)],
  ['a refusal', authorize(1), decided(7, { phase: 'refused' })],
  ['what is confirmed already', authorize(1), decided(7, { phase: 'confirmed' })],
  ['a repeated answer, which may be old', authorize(1), decided(7, { replayed: true })],
  ['what was not decided', authorize(1), { kind: 'refused', reason: 'switch_busy' }],
])('%s is not remembered', (_what, command, result) => {
  const holds = new RecentHolds(4)
  holds.note(command, result)
  expect(holds.take(confirm(1, 7))).toBeNull()
})

test('the older half is forgotten first', () => {
  const holds = new RecentHolds(4)
  for (const id of [1, 2, 3, 4, 5]) holds.note(authorize(1), decided(id))
  expect([1, 2, 3, 4, 5].map(id => holds.take(confirm(1, id))?.id)).toEqual([undefined, undefined, 3, 4, 5])
})

test.each<[string, Command, Result]>([
  ['reversed in part', { kind: 'reverse', tenant: 1 } as Command, decided(7)],
  ['confirmed by its key', { kind: 'confirm', tenant: 1 } as Command, decided(7, { phase: 'confirmed' })],
  ['told again', authorize(1), decided(7, { replayed: true })],
])('one that was %s since is forgotten', (_what, command, result) => {
  const holds = new RecentHolds(4)
  holds.note(authorize(1), decided(7))
  holds.note(command, result)
  expect(holds.take(confirm(1, 7))).toBeNull()
})
