import {
  type Encoding,
  encodings,
  type FieldFormat,
  type FieldType,
  fieldTypes,
  isSigned,
  maskClasses,
  type PaddingFormat,
  type PrefixFormat,
  prefixEncodings,
  type SpareNibbleFormat,
  type Unit,
  units,
} from './dialect-format.ts'
import { charactersInWholeBytes, charactersPerUnit, prefixCount } from './elements.ts'
import { DialectError, flag, integer, object, oneOf, optional, text } from './json-shape.ts'
import { standardPadding } from './padding.ts'
import { parseChildren } from './parse-children.ts'
import type { DialectDefaults } from './parse-dialect.ts'
import { lengthPrefix } from './prefixes.ts'

const lengthMax = 999_999

const encodingsByKind: Record<'number' | 'text' | 'track' | 'binary', readonly Encoding[]> = {
  number: ['ascii', 'latin1', 'utf8', 'ebcdic', 'ebcdic037', 'bcd'],
  text: ['ascii', 'latin1', 'utf8', 'ebcdic', 'ebcdic037'],
  track: ['ascii', 'ebcdic', 'ebcdic037', 'bcd'],
  binary: ['binary', 'hex', 'hex-ebcdic', 'binary-ebcdic', 'bcd'],
}
const signedEncodings: readonly Encoding[] = ['ascii', 'ebcdic', 'bcd']
/** The children of a composite stand on bytes, which these give. */
const compositeEncodings: readonly Encoding[] = [
  'ascii',
  'ebcdic',
  'bcd',
  'binary',
  'hex',
  'hex-ebcdic',
  'binary-ebcdic',
]

/**
 * Of children whose lengths their parent describes: BER lengths, or a prefix that a child may replace by its own or
 * by none.
 */
type Inherited = 'ber' | { readonly prefix: PrefixFormat | undefined }

export function parseField(json: unknown, path: string, defaults: DialectDefaults, inherited?: Inherited): FieldFormat {
  const given = object(json, path, [
    'name',
    'type',
    'length',
    'unit',
    'encoding',
    'spareNibble',
    'padding',
    'filler',
    'mask',
    'children',
    ...(inherited === 'ber' ? [] : ['prefix']),
  ])
  const type = oneOf(given.type, `${path}/type`, fieldTypes)
  const kind = type === 'b' ? 'binary' : type === 'z' ? 'track' : type === 'n' || isSigned(type) ? 'number' : 'text'
  const encoding = optional(given.encoding, defaults[kind], present => oneOf(present, `${path}/encoding`, encodings))
  const allowed =
    given.children !== undefined ? compositeEncodings : isSigned(type) ? signedEncodings : encodingsByKind[kind]
  if (!allowed.includes(encoding)) {
    throw new DialectError(`${path}/encoding`, `of type ${type} must be one of ${allowed.join(', ')}`, encoding)
  }
  const unit = parseUnit(given.unit, `${path}/unit`, type === 'b' ? 'bytes' : 'characters')
  checkUnit(unit, encoding, type, `${path}/unit`)
  const prefix = inherited === 'ber' ? undefined : ownPrefix(given.prefix, `${path}/prefix`, defaults, unit, inherited)
  const variable = prefix !== undefined || inherited === 'ber'
  const field: FieldFormat = {
    name: text(given.name, `${path}/name`),
    type,
    length: integer(given.length, `${path}/length`, isSigned(type) ? 2 : 1, lengthMax),
    unit,
    prefix,
    encoding,
    spareNibble: parseSpareNibble(given.spareNibble, `${path}/spareNibble`, defaults, variable),
    padding: variable ? undefined : parsePadding(given.padding, `${path}/padding`, type),
    filler: optional(given.filler, undefined, present => parseFiller(present, `${path}/filler`, prefix, encoding)),
    mask: optional(given.mask, 'hidden', present => oneOf(present, `${path}/mask`, maskClasses)),
    children: optional(given.children, undefined, present =>
      parseChildren(present, `${path}/children`, defaults, encoding),
    ),
  }
  checkLength(field, path)
  return field
}

function ownPrefix(
  json: unknown,
  path: string,
  defaults: DialectDefaults,
  unit: Unit,
  inherited: Exclude<Inherited, 'ber'> | undefined,
) {
  if (inherited !== undefined && json === undefined) return inherited.prefix
  return json === 'none' ? undefined : parsePrefix(json, path, defaults, unit)
}

/** A number is the width, in the prefix encoding of the dialect. */
export function parsePrefix(json: unknown, path: string, defaults: DialectDefaults, unit: Unit) {
  if (json === undefined) return undefined
  const given =
    typeof json === 'number' ? { width: json } : object(json, path, ['width', 'encoding', 'inclusive', 'unit'])
  const encoding = optional(given.encoding, defaults.prefix, present =>
    oneOf(present, `${path}/encoding`, prefixEncodings),
  )
  const prefix: PrefixFormat = {
    encoding,
    width: integer(given.width, typeof json === 'number' ? path : `${path}/width`, 1, encoding === 'binary' ? 4 : 6),
    inclusive: flag(given.inclusive, `${path}/inclusive`, false),
    unit: parseUnit(given.unit, `${path}/unit`, unit),
  }
  return prefix
}

function parseUnit(json: unknown, path: string, fallback: Unit) {
  return optional(json, fallback, present => oneOf(present, path, units))
}

function parseSpareNibble(
  json: unknown,
  path: string,
  { spareNibble }: DialectDefaults,
  variable: boolean,
): SpareNibbleFormat {
  const given = optional(json, {}, present => object(present, path, ['side', 'fill']))
  return {
    side: optional(given.side, variable ? spareNibble.variable : spareNibble.fixed, present =>
      oneOf(present, `${path}/side`, ['left', 'right']),
    ),
    fill: optional(given.fill, spareNibble.fill, present => oneOf(present, `${path}/fill`, ['0', 'F'])),
  }
}

function parsePadding(json: unknown, path: string, type: FieldType): PaddingFormat | undefined {
  if (json === undefined) return standardPadding(type)
  if (json === 'none') return undefined
  const given = object(json, path, ['side', 'character'])
  const character = text(given.character, `${path}/character`)
  if (character.length !== 1) throw new DialectError(`${path}/character`, 'must be one character', character)
  return { side: oneOf(given.side, `${path}/side`, ['left', 'right']), character }
}

function parseFiller(json: unknown, path: string, prefix: PrefixFormat | undefined, encoding: Encoding) {
  if (prefix === undefined) throw new DialectError(path, 'needs a prefix, which says where the value ends')
  if (encoding === 'utf8') throw new DialectError(path, 'is not possible in a utf8 field')
  const hexadecimal = text(json, path)
  if (!/^[0-9A-F]{2}$/.test(hexadecimal)) throw new DialectError(path, 'must be a byte in hexadecimal', json)
  return Number.parseInt(hexadecimal, 16)
}

function checkUnit(unit: Unit, encoding: Encoding, type: FieldType, path: string) {
  if (encoding === 'utf8' && unit === 'nibbles') throw new DialectError(path, 'of a utf8 field can not be nibbles')
  if (encoding === 'bcd' && isSigned(type) && unit !== 'characters' && unit !== 'digits') {
    throw new DialectError(path, 'of a signed bcd amount must be characters, the sign one of them', unit)
  }
}

/**
 * A length that is half a value, or that its prefix can't say, would fail on the first long message: it fails here
 * instead.
 */
function checkLength(field: FieldFormat, path: string) {
  const { length, prefix, unit, encoding } = field
  const characters = length * charactersPerUnit(field, unit)
  // Binary values and composites are whole bytes whatever counts them; BCD is where bytes or nibbles do.
  const whole =
    encoding === 'bcd' && field.children === undefined
      ? charactersInWholeBytes(field, unit)
      : charactersPerUnit(field, 'bytes')
  if (!Number.isInteger(characters / whole))
    throw new DialectError(`${path}/length`, `must be whole bytes, in ${unit}`, length)
  if (prefix === undefined) return
  const codec = lengthPrefix(prefix)
  const own = prefix.inclusive ? prefixCount(prefix.unit, codec.bytes, prefix.width) : 0
  const counted = charactersInWholeBytes(field, prefix.unit)
  const count = Math.ceil((Math.ceil(characters / counted) * counted) / charactersPerUnit(field, prefix.unit)) + own
  if (count > codec.countMax) {
    throw new DialectError(`${path}/length`, `must fit its prefix, which counts up to ${codec.countMax}`, length)
  }
}
