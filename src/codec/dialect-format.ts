/**
 * The dialect format, as its JSON files have it after validation with every default filled in.
 * `switch-config/dialects/dialect.schema.json` describes the files; `parse-dialect.ts` reads them.
 */

/**
 * ISO 8583 attributes; `any` is for private fields with control characters, and `an+n` for amounts of hosts that send
 * a digit or another letter where the C or D of x+n belongs.
 */
export const fieldTypes = ['a', 'n', 's', 'an', 'as', 'ns', 'anp', 'ans', 'z', 'b', 'x+n', 'an+n', 'any'] as const
export type FieldType = (typeof fieldTypes)[number]

const signedTypes = ['x+n', 'an+n'] as const
export type SignedType = (typeof signedTypes)[number]

/** One character, then digits. */
export const isSigned = (type: FieldType): type is SignedType => signedTypes.some(each => each === type)

/**
 * How a value is on the wire. `bcd` packs two digits a byte (for z the 4-bit track characters, D for `=`; for b an odd
 * number of hexadecimal digits is possible; for amounts an ASCII sign and then digits). `hex` is hexadecimal text.
 * `binary-ebcdic` is for bytes that were ASCII before a host translated the field to EBCDIC; the value is the former.
 */
export const encodings = [
  'ascii',
  'latin1',
  'utf8',
  'ebcdic',
  'ebcdic037',
  'bcd',
  'binary',
  'hex',
  'hex-ebcdic',
  'binary-ebcdic',
] as const
export type Encoding = (typeof encodings)[number]

export const prefixEncodings = ['ascii', 'ebcdic', 'bcd', 'binary', 'hex'] as const
export type PrefixEncoding = (typeof prefixEncodings)[number]

/**
 * What a length counts: `characters` of the value (also called `digits`), `bytes` on the wire (of a binary value: its
 * own bytes, also where they are sent as hexadecimal text), or `nibbles`, half bytes on the wire. A spare half byte of
 * BCD is counted by the latter two, so that it can't be told from a digit when it comes back.
 */
export const units = ['characters', 'digits', 'bytes', 'nibbles'] as const
export type Unit = (typeof units)[number]

/** `pan`: first 6 and last 4 stay; `tail`: last 4 stay; a field without a class is `hidden`. */
export const maskClasses = ['clear', 'pan', 'tail', 'hidden'] as const
export type MaskClass = (typeof maskClasses)[number]

/** `width` is in digits, for `binary` in bytes. An inclusive length counts the prefix itself too. */
export type PrefixFormat = { encoding: PrefixEncoding; width: number; inclusive: boolean; unit: Unit }

export type Side = 'left' | 'right'
export type PaddingFormat = { side: Side; character: string }
export type SpareNibbleFormat = { side: Side; fill: '0' | 'F' }

export type FieldFormat = {
  name: string
  type: FieldType
  /** Of a field with a prefix the maximum, else the exact length, in `unit`. */
  length: number
  unit: Unit
  prefix: PrefixFormat | undefined
  encoding: Encoding
  spareNibble: SpareNibbleFormat
  /** What `pack` fills a short fixed-length value with; undefined: it is refused. */
  padding: PaddingFormat | undefined
  /** Of a field with a prefix: the value stands in an area of `length`, whose rest has this byte. */
  filler: number | undefined
  mask: MaskClass
  children: ChildrenFormat | undefined
}

export const bitmapEncodings = ['binary', 'hex', 'hex-ebcdic'] as const
/**
 * Chunks of `bytes`; while another one fits in `bytesMax`, a chunk's first bit says that it follows and is no field.
 */
export type BitmapFormat = { encoding: (typeof bitmapEncodings)[number]; bytes: number; bytesMax: number }

export const tagEncodings = ['ascii', 'ebcdic', 'bcd', 'binary'] as const
/**
 * `width` is in characters, for `bcd` in digits, for `binary` in bytes (the key is then hexadecimal). With a `filler`
 * the wire has the key filled to that width, and the key itself goes without.
 */
export type TagFormat = {
  encoding: (typeof tagEncodings)[number]
  width: number
  filler?: { side: 'left' | 'right'; fill: string }
}

type Fields<Key> = Map<Key, FieldFormat>

/**
 * What is inside a field. `positional`: one after the other, the last ones may be missing. `bitmap`: as a message has
 * it, after `headerBytes` raw bytes. `ber-tlv`: ISO 8825 tags and lengths as EMV uses them. `tag-length`: fixed-width
 * tags, each with a value of fixed length or with a prefix, after `headerBytes` raw bytes; with `lengthFirst` the
 * length stands before the tag and counts it. Tags without a format of their own are kept and sent again: for
 * `ber-tlv` as hexadecimal, else as `other` says, and without that they are an error.
 */
export type ChildrenFormat =
  | { kind: 'positional'; fields: Fields<string> }
  | { kind: 'bitmap'; headerBytes: number; bitmap: BitmapFormat; fields: Fields<number> }
  | { kind: 'ber-tlv'; fields: Fields<string> }
  | {
      kind: 'tag-length'
      headerBytes: number
      tag: TagFormat
      lengthFirst: boolean
      prefix: PrefixFormat | undefined
      fields: Fields<string>
      other: FieldFormat | undefined
    }

export type DialectFormat = {
  name: string
  description: string
  headerBytes: number
  mti: { encoding: 'ascii' | 'ebcdic' | 'bcd' }
  bitmap: BitmapFormat
  fields: Fields<number>
}
