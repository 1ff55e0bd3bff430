/** Money is bigint, in minor units of its asset: Math.min does not take it. */
export const lesser = (one: bigint, other: bigint): bigint => (one < other ? one : other)
