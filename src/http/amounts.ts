/** The largest amount that goes in or out: 2^53 − 1, the last integer that every JSON reader takes exactly. */
export const amountMax = Number.MAX_SAFE_INTEGER

/** An amount as a JSON integer. Throws a RangeError beyond 2^53 − 1: rather no answer than a wrong one. */
export function toJsonAmount(amount: bigint): number {
  const json = Number(amount)
  if (!Number.isSafeInteger(json)) throw new RangeError('an amount beyond 2^53 - 1')
  return json
}
