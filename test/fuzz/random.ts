/** Numbers from a seed: the same seed replays the same run. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 to below `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)))
  }
}

const kinds = ['flip', 'set', 'digit', 'cut', 'drop', 'repeat', 'insert', 'splice'] as const

/** `original` after up to four changes; `other` is a message to take a tail of. */
export function mutate(random: Random, original: Buffer, other: Buffer): Buffer {
  let bytes = original
  for (let changes = random.below(5); changes > 0; changes--) bytes = mutateOnce(random, bytes, other)
  return bytes
}

function mutateOnce(random: Random, bytes: Buffer, other: Buffer): Buffer {
  const at = random.below(bytes.length + 1)
  const before = bytes.subarray(0, at)
  const here = bytes[at] ?? 0
  switch (random.pick(kinds)) {
    case 'flip':
      return Buffer.concat([before, Buffer.from([here ^ (1 << random.below(8))]), bytes.subarray(at + 1)])
    case 'set':
      return Buffer.concat([before, random.bytes(1), bytes.subarray(at + 1)])
    case 'digit':
      return Buffer.concat([before, Buffer.from([0x30 + random.below(10)]), bytes.subarray(at + 1)])
    case 'cut':
      return before
    case 'drop':
      return Buffer.concat([before, bytes.subarray(at + 1 + random.below(4))])
    case 'repeat':
      return Buffer.concat([bytes.subarray(0, at + random.below(16)), bytes.subarray(at)])
    case 'insert':
      return Buffer.concat([before, random.bytes(1 + random.below(8)), bytes.subarray(at)])
    case 'splice':
      return Buffer.concat([before, other.subarray(random.below(other.length + 1))])
  }
}
