import { CryptoError } from './errors.ts'

/** The working keys of one transaction; `Request` is what the terminal sends, `Response` what it receives. */
export type DukptKeys = {
  readonly pin: Buffer
  readonly macRequest: Buffer
  readonly macResponse: Buffer
  readonly dataRequest: Buffer
  readonly dataResponse: Buffer
}

/**
 * A key serial number in parts. `initialKeyId` names the terminal's initial key, in upper-case hexadecimal; `counter`
 * grows with each transaction, so one that is not above the last one seen is a replay.
 */
export type KeySerialNumber = { readonly initialKeyId: string; readonly counter: number }

/** The counters of a scheme: how many bits, how many of them may be one, and so how deep a derivation goes. */
export type CounterRule = { readonly bits: number; readonly onesMax: number }

/** Throws CryptoError `ksn` for zero (the initial key itself) and for a counter with too many one bits. */
export function checkCounter(counter: number, { onesMax }: CounterRule) {
  if (counter === 0 || countOnes(counter) > onesMax) throw new CryptoError('ksn')
}

/** The one bits of a counter from the highest to the lowest, each with all that are above it: the derivation's path. */
export function pathOf(counter: number, { bits }: CounterRule): number[] {
  const path: number[] = []
  let reached = 0
  for (let power = bits - 1; power >= 0; power--) {
    // Not shifts: a counter of 32 bits does not fit JavaScript's signed ones.
    const bit = 2 ** power
    if (counter - reached < bit) continue
    reached += bit
    path.push(reached)
  }
  return path
}

/** The counter after this one; skips those with too many one bits. Null when the terminal has used up its keys. */
export function nextCounter(counter: number, { bits, onesMax }: CounterRule): number | null {
  const next = countOnes(counter) < onesMax ? counter + 1 : counter + lowestOne(counter)
  return next < 2 ** bits ? next : null
}

function countOnes(counter: number): number {
  let ones = 0
  for (let rest = counter; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return ones
}

function lowestOne(counter: number): number {
  let bit = 1
  while (Math.floor(counter / bit) % 2 === 0) bit *= 2
  return bit
}
