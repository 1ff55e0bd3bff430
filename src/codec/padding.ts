import { type FieldFormat, type FieldType, isSigned, type PaddingFormat } from './dialect-format.ts'

/**
 * What ISO 8583 fills a short fixed-length value with: numbers with zeros at the left, text with spaces at the right.
 * Binary and track fields have no filler that could not be taken for data.
 */
export function standardPadding(type: FieldType): PaddingFormat | undefined {
  if (type === 'b' || type === 'z') return undefined
  return type === 'n' || isSigned(type) ? { side: 'left', character: '0' } : { side: 'right', character: ' ' }
}

/**
 * `value` filled to `characters`; the sign of an amount stays in front. Unpack gives fixed values whole, filler
 * included.
 */
export function pad(value: string, characters: number, { type }: FieldFormat, { side, character }: PaddingFormat) {
  if (side === 'right') return value.padEnd(characters, character)
  if (!isSigned(type)) return value.padStart(characters, character)
  return value.slice(0, 1) + value.slice(1).padStart(characters - 1, character)
}
