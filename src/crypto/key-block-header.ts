import { CryptoError } from './errors.ts'

/** Binding by variant (A, C; triple DES, superseded) or by derivation (B; triple DES, and D; AES). */
export type KeyBlockVersion = 'A' | 'B' | 'C' | 'D'

/** `data` is what follows the length, as printable ASCII. */
type OptionalBlock = { readonly id: string; readonly data: string }

/**
 * The header of a key block: ANSI X9.143, section 6.2. `usage` such as P0 (PIN encryption), M3 (ISO 9797-1 algorithm
 * 3), B0 (base derivation key); `algorithm` T, A, …; `mode` of use; `keyVersion`; `exportability`; `reserved` 00, or
 * the key context and 0.
 */
export type KeyBlockHeader = {
  readonly version: KeyBlockVersion
  readonly usage: string
  readonly algorithm: string
  readonly mode: string
  readonly keyVersion: string
  readonly exportability: string
  readonly reserved: string
  readonly optionalBlocks: readonly OptionalBlock[]
}

const fixedHeaderDigits = 16
const optionalBlocksMax = 99
const blockDigitsMax = 9_999
/** The optional block that only fills up the header; its id and length are the least it can be. */
const fillId = 'PB'
const fillDigitsMin = 4

type FixedField = 'usage' | 'algorithm' | 'mode' | 'keyVersion' | 'exportability' | 'reserved'

/** Where each field stands, and what it may be. Before them are the version and the length; the count is at 12. */
const fixedFields: Readonly<Record<FixedField, { readonly at: number; readonly form: RegExp }>> = {
  usage: { at: 5, form: /^[0-9A-Z]{2}$/ },
  algorithm: { at: 7, form: /^[0-9A-Z]$/ },
  mode: { at: 8, form: /^[0-9A-Z]$/ },
  keyVersion: { at: 9, form: /^[0-9A-Za-z]{2}$/ },
  exportability: { at: 11, form: /^[0-9A-Z]$/ },
  reserved: { at: 14, form: /^[0-9A-Z]{2}$/ },
}

/** Reads the header of a whole key block; `end` is where it ends. Throws CryptoError `key_block_format` and where. */
export function readKeyBlockHeader(block: string): { header: KeyBlockHeader; end: number } {
  const version = block.charAt(0)
  if (version !== 'A' && version !== 'B' && version !== 'C' && version !== 'D')
    throw new CryptoError('key_block_format', 0)
  if (readDecimal(block, 1, 4) !== block.length) throw new CryptoError('key_block_format', 1)
  const fixed = {
    usage: block.slice(5, 7),
    algorithm: block.slice(7, 8),
    mode: block.slice(8, 9),
    keyVersion: block.slice(9, 11),
    exportability: block.slice(11, 12),
    reserved: block.slice(14, fixedHeaderDigits),
  }
  checkFixedFields(fixed)
  const { optionalBlocks, end } = readOptionalBlocks(block, readDecimal(block, 12, 2))
  return { header: { version, ...fixed, optionalBlocks }, end }
}

/**
 * A header as text, for a block whose encrypted key and MAC take `bodyDigits`. The optional blocks are kept in their
 * order, and filled up to a multiple of `multiple` characters. Throws CryptoError `key_block_format`.
 */
export function writeKeyBlockHeader(header: KeyBlockHeader, bodyDigits: number, multiple: number): string {
  checkFixedFields(header)
  const kept = header.optionalBlocks.filter(({ id }) => id !== fillId)
  if (!kept.every(isOptionalBlock)) throw new CryptoError('key_block_format', fixedHeaderDigits)
  const blocks = kept.map(writeOptionalBlock)
  const over = blocks.join('').length % multiple
  if (over !== 0) blocks.push(fillBlock(over, multiple))
  const digits = fixedHeaderDigits + blocks.join('').length + bodyDigits
  if (digits > blockDigitsMax) throw new CryptoError('key_block_format', 1)
  if (blocks.length > optionalBlocksMax) throw new CryptoError('key_block_format', 12)
  const { version, usage, algorithm, mode, keyVersion, exportability, reserved } = header
  const length = String(digits).padStart(4, '0')
  const count = String(blocks.length).padStart(2, '0')
  return [version, length, usage, algorithm, mode, keyVersion, exportability, count, reserved, ...blocks].join('')
}

function checkFixedFields(fields: Readonly<Record<FixedField, string>>) {
  for (const name of Object.keys(fixedFields) as FixedField[]) {
    const { at, form } = fixedFields[name]
    if (!form.test(fields[name])) throw new CryptoError('key_block_format', at)
  }
}

const isOptionalBlock = ({ id, data }: OptionalBlock): boolean => /^[0-9A-Z]{2}$/.test(id) && /^[ -~]*$/.test(data)

function readOptionalBlocks(block: string, count: number) {
  const optionalBlocks: OptionalBlock[] = []
  let at = fixedHeaderDigits
  for (let index = 0; index < count; index++) {
    const id = block.slice(at, at + 2)
    const { length, dataAt } = readOptionalLength(block, at)
    const data = block.slice(dataAt, at + length)
    const isWhole = at + length >= dataAt && at + length <= block.length
    if (!isWhole || !isOptionalBlock({ id, data })) throw new CryptoError('key_block_format', at)
    optionalBlocks.push({ id, data })
    at += length
  }
  return { optionalBlocks, end: at }
}

/** Two hexadecimal digits; or 00, the number of digits of the length, and these. The length counts all of the block. */
function readOptionalLength(block: string, at: number) {
  const short = readHex(block, at + 2, 2)
  if (short > 0) return { length: short, dataAt: at + 4 }
  const digits = readHex(block, at + 4, 2)
  if (digits === 0) throw new CryptoError('key_block_format', at + 4)
  return { length: readHex(block, at + 6, digits), dataAt: at + 6 + digits }
}

function readDecimal(block: string, at: number, digits: number): number {
  const text = block.slice(at, at + digits)
  if (text.length !== digits || !/^[0-9]+$/.test(text)) throw new CryptoError('key_block_format', at)
  return Number.parseInt(text, 10)
}

function readHex(block: string, at: number, digits: number): number {
  const text = block.slice(at, at + digits)
  if (text.length !== digits || !/^[0-9A-F]+$/.test(text)) throw new CryptoError('key_block_format', at)
  return Number.parseInt(text, 16)
}

function writeOptionalBlock({ id, data }: OptionalBlock): string {
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0')
  const short = data.length + 4
  return short <= 0xff ? `${id}${hex(short, 2)}${data}` : `${id}0004${hex(data.length + 10, 4)}${data}`
}

function fillBlock(over: number, multiple: number): string {
  const room = multiple - over
  const data = '0'.repeat((room < fillDigitsMin ? room + multiple : room) - fillDigitsMin)
  return writeOptionalBlock({ id: fillId, data })
}
