import { expect, test } from 'vitest'
import { Pace } from './pace.ts'

test('what waits is counted at the rate of the last batches', () => {
  const pace = new Pace()
  pace.note(0, 100, 50)
  expect(pace.waitMs(50)).toBe(0)
  pace.note(1, 100, 50)
  expect(pace.waitMs(50)).toBe(500)
  // One slow batch changes little.
  pace.note(10, 100, 50)
  expect(pace.waitMs(50)).toBe(1_000)
})

test('nothing is known while all that wait are taken', () => {
  const pace = new Pace()
  pace.note(0, 100, 50)
  pace.note(1, 50, 0)
  expect(pace.waitMs(1_000)).toBe(0)
  pace.note(60, 100, 50)
  expect(pace.waitMs(1_000)).toBe(0)
})

test('the time of batches without new commands counts, for those who are left wait for them too', () => {
  const pace = new Pace()
  pace.note(0, 100, 50)
  pace.note(1, 0, 60)
  expect(pace.waitMs(100)).toBe(0)
  pace.note(2, 100, 50)
  expect(pace.waitMs(100)).toBe(2_000)
})

test('after a reset nothing is known', () => {
  const pace = new Pace()
  pace.note(0, 100, 50)
  pace.note(1, 100, 50)
  pace.reset()
  expect(pace.waitMs(100)).toBe(0)
  pace.note(60, 100, 50)
  expect(pace.waitMs(100)).toBe(0)
})
