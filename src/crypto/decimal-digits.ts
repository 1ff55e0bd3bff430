/**
 * The first `count` decimal digits of a block: in one scan the hexadecimal digits 0 to 9, then, if these are too few,
 * in a second scan A to F as 0 to 5. Visa's PVV and the card verification values take their digits so.
 */
export function digitsOfBlock(block: Buffer, count: number): string {
  const hex = block.toString('hex')
  const letters = hex.replace(/[0-9]/g, '').replace(/[a-f]/g, letter => String(Number.parseInt(letter, 16) - 10))
  return (hex.replace(/[a-f]/g, '') + letters).slice(0, count)
}
