import type { Encoding, FieldType, PrefixEncoding, TagFormat, Unit } from './dialect-format.ts'

/**
 * What a jPOS field class stands for. `length` in a packager counts digits or characters, of binary values bytes.
 * `pad="true"` puts the spare half byte of packed digits at the left, else it is at the right.
 */
export type JposClass = {
  readonly type: FieldType
  readonly encoding: Encoding
  readonly prefix?: { readonly encoding: PrefixEncoding; readonly width: number; readonly unit?: Unit }
  readonly fill?: 'F'
  readonly filler?: string
  /** Of a class for tagged subfields: its number, as a tag in front of the length, or after it. */
  readonly tag?: TagFormat
  readonly lengthFirst?: true
  /** Of a class for a TaggedSequencePackager: the tag in front is the `token` of its element. */
  readonly token?: true
}

type Prefix = NonNullable<JposClass['prefix']>

const ascii = (width: number): Prefix => ({ encoding: 'ascii', width })
const ebcdic = (width: number): Prefix => ({ encoding: 'ebcdic', width })
const bcd = (width: number): Prefix => ({ encoding: 'bcd', width })
const bytes = (width: number): Prefix => ({ encoding: 'binary', width })

/** jPOS checks no characters of text, so any is let through. */
const text = (encoding: 'latin1' | 'ebcdic', prefix?: Prefix): JposClass =>
  withPrefix({ type: 'any', encoding }, prefix)
const digits = (encoding: 'ascii' | 'ebcdic' | 'bcd', prefix?: Prefix): JposClass =>
  withPrefix({ type: 'n', encoding }, prefix)
/** jPOS takes any first character for a sign, and its own messages have a digit there. */
const amount = (encoding: 'ascii' | 'ebcdic' | 'bcd'): JposClass => ({ type: 'an+n', encoding })
const raw = (encoding: 'binary' | 'hex' | 'hex-ebcdic' | 'binary-ebcdic', prefix?: Prefix): JposClass =>
  withPrefix({ type: 'b', encoding }, prefix)

const withPrefix = (field: JposClass, prefix: Prefix | undefined): JposClass =>
  prefix === undefined ? field : { ...field, prefix }

/** A length in half bytes, as BCD. */
const nibbles = (width: number): Prefix => ({ ...bcd(width), unit: 'nibbles' })
const tagged = (encoding: TagFormat['encoding'], width: number, field: JposClass): JposClass => ({
  ...field,
  tag: { encoding, width },
})
/** The length, which counts the tag, stands before it. */
const lengthFirst = (encoding: TagFormat['encoding'], field: JposClass): JposClass => ({
  ...tagged(encoding, 2, field),
  lengthFirst: true,
})
const token = (field: JposClass): JposClass => ({ ...field, token: true })

const table: Readonly<Record<string, JposClass>> = {
  IF_CHAR: text('latin1'),
  IF_ECHAR: text('ebcdic'),
  IFA_NUMERIC: digits('ascii'),
  IFA_AMOUNT: amount('ascii'),
  IFA_AMOUNT2003: digits('ascii'),
  IFA_BINARY: raw('hex'),
  IFA_LNUM: digits('ascii', ascii(1)),
  IFA_LLNUM: digits('ascii', ascii(2)),
  IFA_LLLNUM: digits('ascii', ascii(3)),
  IFA_FLLNUM: { ...digits('ascii', ascii(2)), filler: '20' },
  IFA_LLBNUM: { ...digits('bcd', { ...ascii(2), unit: 'nibbles' }) },
  IFA_LCHAR: text('latin1', ascii(1)),
  IFA_LLCHAR: text('latin1', ascii(2)),
  IFA_LLLCHAR: text('latin1', ascii(3)),
  IFA_LLLLCHAR: text('latin1', ascii(4)),
  IFA_LLLLLCHAR: text('latin1', ascii(5)),
  IFA_LLLLLLCHAR: text('latin1', ascii(6)),
  IFA_FLLCHAR: { ...text('latin1', ascii(2)), filler: '20' },
  IFA_LBINARY: raw('binary', ascii(1)),
  IFA_LLBINARY: raw('binary', ascii(2)),
  IFA_LLLBINARY: raw('binary', ascii(3)),
  IFA_LLLLBINARY: raw('binary', ascii(4)),
  IFA_LLLLLBINARY: raw('binary', ascii(5)),
  IFA_LLLLLLBINARY: raw('binary', ascii(6)),
  IFA_LLABINARY: raw('hex', ascii(2)),
  IFA_LLLABINARY: raw('hex', ascii(3)),
  IFAE_LLCHAR: text('ebcdic', ascii(2)),

  IFB_NUMERIC: digits('bcd'),
  IFB_FNUMERIC: { ...digits('bcd'), fill: 'F' },
  IFB_AMOUNT: amount('bcd'),
  IFB_AMOUNT2003: digits('bcd'),
  IFB_BINARY: raw('binary'),
  IFB_HEX: { type: 'b', encoding: 'bcd', fill: 'F' },
  IFB_LLNUM: digits('bcd', bcd(2)),
  IFB_LLLNUM: digits('bcd', bcd(3)),
  IFB_FLLNUM: { ...digits('bcd', bcd(2)), fill: 'F' },
  IFB_FLLLNUM: { ...digits('bcd', bcd(3)), fill: 'F' },
  IFB_LLHNUM: digits('bcd', bytes(1)),
  IFB_LLLHNUM: digits('bcd', bytes(2)),
  IFB_LLCHAR: text('latin1', bcd(2)),
  IFB_LLLCHAR: text('latin1', bcd(3)),
  IFB_LLLLCHAR: text('latin1', bcd(4)),
  IFB_LLLLLLCHAR: text('latin1', bcd(6)),
  IFB_LLHCHAR: text('latin1', bytes(1)),
  IFB_LLLHCHAR: text('latin1', bytes(2)),
  IFB_LLHECHAR: text('ebcdic', bytes(1)),
  IFB_LLLHECHAR: text('ebcdic', bytes(2)),
  IFB_LLBINARY: raw('binary', bcd(2)),
  IFB_LLLBINARY: raw('binary', bcd(3)),
  IFB_LLLLBINARY: raw('binary', bcd(4)),
  IFB_LHBINARY: raw('binary', bytes(1)),
  IFB_LLHBINARY: raw('binary', bytes(1)),
  IFB_LLLHBINARY: raw('binary', bytes(2)),
  IFB_LLHFBINARY: { ...raw('binary', bytes(1)), filler: '00' },
  IFB_LLHEX: raw('binary', nibbles(2)),
  // Three digits would be an odd number: its two bytes hold four.
  IFB_LLLHEX: raw('binary', nibbles(4)),

  IFE_CHAR: text('ebcdic'),
  IFE_NUMERIC: digits('ebcdic'),
  IFE_AMOUNT: amount('ebcdic'),
  IFE_BINARY: raw('hex-ebcdic'),
  IFE_LNUM: digits('ebcdic', ebcdic(1)),
  IFE_LLNUM: digits('ebcdic', ebcdic(2)),
  IFE_LLLNUM: digits('ebcdic', ebcdic(3)),
  IFE_LCHAR: text('ebcdic', ebcdic(1)),
  IFE_LLCHAR: text('ebcdic', ebcdic(2)),
  IFE_LLLCHAR: text('ebcdic', ebcdic(3)),
  IFE_LLLLCHAR: text('ebcdic', ebcdic(4)),
  IFE_LBINARY: raw('binary', ebcdic(1)),
  IFE_LLBINARY: raw('binary', ebcdic(2)),
  IFE_LLLBINARY: raw('binary', ebcdic(3)),
  IFE_LLLLBINARY: raw('binary', ebcdic(4)),
  IFE_LLLEBINARY: raw('binary-ebcdic', ebcdic(3)),
  IFEA_LLCHAR: text('latin1', ebcdic(2)),
  IFEB_LLNUM: digits('bcd', ebcdic(2)),
  IFEB_LLLNUM: digits('bcd', ebcdic(3)),

  IFMC_LLCHAR: tagged('ascii', 2, text('latin1', ascii(2))),
  IFMC_LLBINARY: tagged('ascii', 2, raw('binary', ascii(2))),
  IFMC_LLLCHAR: tagged('ascii', 2, text('latin1', ascii(3))),
  IFMC_LLLBINARY: tagged('ascii', 2, raw('binary', ascii(3))),
  IFEMC_LLCHAR: tagged('ascii', 2, text('ebcdic', ascii(2))),
  IFEMC_LLLCHAR: tagged('ebcdic', 4, text('ebcdic', ebcdic(3))),
  IFEPE_LLCHAR: tagged('ebcdic', 2, text('ebcdic', ebcdic(2))),
  IFEPE_LLBINARY: tagged('ebcdic', 2, raw('binary', ebcdic(2))),
  IFEPE_LLLCHAR: tagged('ebcdic', 3, text('ebcdic', ebcdic(3))),
  IFIPM_LLLCHAR: tagged('ascii', 4, text('latin1', ascii(3))),
  // Of these only the first has no EBCDIC at all, and only the last has it in the value.
  IFEP_LLCHAR: lengthFirst('ascii', text('latin1', ascii(2))),
  IFEP_LLLCHAR: lengthFirst('ebcdic', text('latin1', ebcdic(3))),
  IFEP_LLLBINARY: lengthFirst('ebcdic', raw('binary', ebcdic(3))),
  IFELPE_LLLCHAR: lengthFirst('ebcdic', text('ebcdic', ebcdic(3))),
  IFA_TTLCHAR: tagged('ascii', 2, text('latin1', ascii(1))),
  IFA_TTLLCHAR: tagged('ascii', 2, text('latin1', ascii(2))),
  IFA_TTLLLCHAR: tagged('ascii', 2, text('latin1', ascii(3))),
  IFA_TTLLLLCHAR: tagged('ascii', 2, text('latin1', ascii(4))),
  IFA_TTTLLLCHAR: tagged('ascii', 3, text('latin1', ascii(3))),
  IFA_TTLBINARY: tagged('ascii', 2, raw('binary', ascii(1))),
  IFA_TTLLBINARY: tagged('ascii', 2, raw('binary', ascii(2))),
  IFA_TTLLLBINARY: tagged('ascii', 2, raw('binary', ascii(3))),
  IFA_TTLLLLBINARY: tagged('ascii', 2, raw('binary', ascii(4))),

  IFTA_LLCHAR: token(text('latin1', ascii(2))),
  IFTA_LLLCHAR: token(text('latin1', ascii(3))),
  IFTA_LLNUM: token(digits('ascii', ascii(2))),
  IFTA_LLLNUM: token(digits('ascii', ascii(3))),
  IFTA_LLBINARY: token(raw('binary', ascii(2))),
  IFTA_LLLBINARY: token(raw('binary', ascii(3))),
  IFTB_LLBINARY: token(raw('binary', bcd(2))),
}

/** Classes by their name without the package: `org.jpos.iso.IFA_LLNUM` is IFA_LLNUM. */
export const jposClasses: ReadonlyMap<string, JposClass> = new Map(Object.entries(table))

/**
 * Bitmap classes. A length in the packager is the largest, in bytes: the first bit of eight says whether the next
 * eight follow. `fixedBytes`: it has that size, whatever the packager says, and its first bit is a field.
 */
export const jposBitmaps: ReadonlyMap<
  string,
  { readonly encoding: 'binary' | 'hex' | 'hex-ebcdic'; readonly fixedBytes?: number }
> = new Map([
  ['IFA_BITMAP', { encoding: 'hex' }],
  ['IFA_BITMAPStandalone', { encoding: 'hex' }],
  ['IFB_BITMAP', { encoding: 'binary' }],
  ['IFE_BITMAP', { encoding: 'hex-ebcdic' }],
  ['Base1_BITMAP126', { encoding: 'binary', fixedBytes: 8 }],
])

/** Classes that stand for nothing on the wire. */
export const jposPlaceholders: ReadonlySet<string> = new Set(['IF_NOP'])
