import { expect, test } from 'vitest'
import { CodeAttempts } from './code-attempts.ts'

const minute = 60_000_000
const isRefused = (answer: object): boolean => 'retryAfterSeconds' in answer

function attemptsAt() {
  const clock = { at: 0 }
  const attempts = new CodeAttempts(() => clock.at)
  const guess = (key: number, terminal: string | null, isKnown = false): boolean => {
    const attempt = attempts.begin(key, terminal)
    if ('settle' in attempt) attempt.settle(isKnown)
    return isRefused(attempt)
  }
  return { attempts, clock, guess }
}

test('a terminal has ten guesses a minute, and says how long to wait', () => {
  const { attempts, clock, guess } = attemptsAt()
  for (let count = 0; count < 10; count++) {
    expect(guess(1, 'T1')).toBe(false)
    clock.at += 1_000_000
  }
  expect(attempts.begin(1, 'T1')).toEqual({ retryAfterSeconds: 50 })
  expect(guess(1, 'T2')).toBe(false)
  expect(guess(2, 'T1')).toBe(false)
  clock.at = minute
  expect(guess(1, 'T1')).toBe(false)
  expect(guess(1, 'T1')).toBe(true)
})

test('codes that are known do not count', () => {
  const { guess } = attemptsAt()
  for (let count = 0; count < 100; count++) expect(guess(1, 'T1', true)).toBe(false)
})

test('tries under way count: a thousand at once are not a thousand guesses', () => {
  const { attempts } = attemptsAt()
  const begun = Array.from({ length: 1_000 }, () => attempts.begin(1, 'T1'))
  expect(begun.filter(answer => !isRefused(answer))).toHaveLength(10)
})

test('an API key has sixty, over all its terminals', () => {
  const { guess } = attemptsAt()
  const allowed = Array.from({ length: 100 }, (_, index) => guess(1, `T${index}`)).filter(refused => !refused)
  expect(allowed).toHaveLength(60)
})
