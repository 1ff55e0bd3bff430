import {
  type BitmapJson,
  countMaxOf,
  type DialectJson,
  type FieldJson,
  type FieldsJson,
  fieldsInBitmap,
  ImportError,
  importedEncodings,
  isTrack,
  type PrefixJson,
  usualMask,
  type Warn,
} from './dialect-json.ts'
import { childrenOf } from './import-jpos-children.ts'
import { type JposClass, jposBitmaps, jposClasses, jposPlaceholders } from './jpos-classes.ts'
import { parseXml, type XmlElement, XmlError } from './xml.ts'

const lengthMax = 999_999
const bitmapBytesMax = 24

/**
 * The dialect of a jPOS GenericPackager file (`isopackager`). Throws ImportError naming the field and line of what
 * our format can't express, or of a class that is not known; `warn` is told of what is left out.
 */
export function importJpos(xml: string, name: string, warn: Warn = () => undefined): DialectJson {
  const root = parsePackager(xml)
  if (root.name !== 'isopackager') throw new ImportError('', `the root element is ${root.name}, not isopackager`)
  if (root.attributes.get('emitBitmap') === 'false') {
    throw new ImportError('', 'emitBitmap is false: a message without a bitmap is not possible', root.line)
  }
  const elements = fieldElements(root, '')
  const bitmapNumber = count(root, 'bitmapField', '', 1)
  const mti = required(elements, 0)
  const bitmap = bitmapOf(required(elements, bitmapNumber), String(bitmapNumber))
  const fields: FieldsJson = {}
  for (const [number, element] of elements) {
    if (number === 0 || number === bitmapNumber || isPlaceholder(element)) continue
    if (jposBitmaps.has(classNameOf(element, String(number)))) refuseThirdBitmap(elements, number, element)
    fields[number] = fieldOf(element, String(number), warn, usualMask(number))
  }
  const headerBytes = count(root, 'headerLength', '', 0)
  return {
    name,
    description: 'Imported from a jPOS packager',
    ...(headerBytes === 0 ? {} : { headerBytes }),
    mti: { encoding: mtiEncoding(mti) },
    bitmap,
    encodings: importedEncodings,
    fields: fieldsInBitmap(fields, bitmap, String(bitmapNumber), warn),
  }
}

function parsePackager(xml: string) {
  try {
    return parseXml(xml)
  } catch (error) {
    if (error instanceof XmlError) throw new ImportError('', `not well-formed XML: ${error.message}`)
    throw error
  }
}

function required(elements: ReadonlyMap<number, XmlElement>, number: number) {
  const element = elements.get(number)
  if (element === undefined) throw new ImportError(String(number), 'is missing')
  return element
}

function mtiEncoding(element: XmlElement): DialectJson['mti']['encoding'] {
  const { type, encoding, prefix } = classOf(element, '0')
  const isPlain = prefix === undefined && (type === 'n' || type === 'any') && numberOf(element, 'length', '0') === 4
  const known = { ascii: 'ascii', latin1: 'ascii', ebcdic: 'ebcdic', bcd: 'bcd' } as const
  if (isPlain && encoding in known) return known[encoding as keyof typeof known]
  throw new ImportError(
    '0',
    'the message type must be four digits: IFA_NUMERIC, IFB_NUMERIC or IFE_NUMERIC',
    element.line,
  )
}

/** A bitmap among the fields is one that no other stands behind, or it would divide the message in two. */
function refuseThirdBitmap(elements: ReadonlyMap<number, XmlElement>, number: number, element: XmlElement) {
  if (Math.max(...elements.keys()) <= 128) return
  throw new ImportError(String(number), 'a third bitmap among the fields is not possible', element.line)
}

/** The isofield and isofieldpackager elements by id; of two with one id the latter counts, as in jPOS. */
export function fieldElements(parent: XmlElement, path: string): ReadonlyMap<number, XmlElement> {
  const elements = new Map<number, XmlElement>()
  for (const element of parent.children) {
    if (element.name !== 'isofield' && element.name !== 'isofieldpackager') continue
    elements.set(numberOf(element, 'id', path), element)
  }
  return new Map([...elements].sort(([left], [right]) => left - right))
}

/** A field of a message or of a composite; `path` is its number, behind those of its parents. */
export function fieldOf(element: XmlElement, path: string, warn: Warn, extra: Pick<FieldJson, 'mask'> = {}): FieldJson {
  const bitmap = jposBitmaps.get(classNameOf(element, path))
  const length = Math.min(numberOf(element, 'length', path), lengthMax)
  if (bitmap !== undefined)
    return { name: nameOf(element, path), type: 'b', length, encoding: bitmap.encoding, ...extra }
  const known = classOf(element, path)
  if (known.tag !== undefined || known.token) {
    throw new ImportError(
      path,
      `${classNameOf(element, path)} is possible only among subfields with tags`,
      element.line,
    )
  }
  return { ...fieldOfClass(element, known, length, path, warn), ...extra }
}

const nameOf = (element: XmlElement, path: string) => element.attributes.get('name')?.trim() || `Field ${path}`

/** A field of a class, with its subfields if it has such. */
export function fieldOfClass(
  element: XmlElement,
  known: JposClass,
  length: number,
  path: string,
  warn: Warn,
): FieldJson {
  const name = nameOf(element, path)
  const children = element.name === 'isofieldpackager' ? childrenOf(element, path, warn) : undefined
  if (children === undefined) return plainField(element, known, name, length, path)
  const encoding = children.encoding ?? containerEncoding(known, path, element)
  const field = plainField(element, { ...known, type: 'b', encoding }, name, length, path)
  if (children.encoding === undefined) return { ...field, children: children.children }
  // The length counts the hexadecimal text, of which there is an even number.
  return { ...field, length: field.length - (field.length % 2), unit: 'characters', children: children.children }
}

/** The value of a field without its children. */
function plainField(
  element: XmlElement,
  { type, encoding, prefix, fill, filler }: JposClass,
  name: string,
  length: number,
  path: string,
): FieldJson {
  const track = type === 'n' && isTrack(Number.parseInt(path, 10)) && !path.includes('.')
  const packed = encoding === 'bcd'
  const side = element.attributes.get('pad') === 'true' ? 'left' : 'right'
  return {
    name,
    type: track ? 'z' : type,
    length: prefix === undefined ? length : Math.min(length, lengthFitting(prefixOf(element, prefix), packed, type)),
    ...(type === 'b' && packed ? { unit: 'digits', padding: { side: 'left', character: '0' } } : {}),
    encoding,
    ...(prefix === undefined ? {} : { prefix: prefixOf(element, prefix) }),
    ...(packed ? { spareNibble: { side, ...(fill !== undefined && side === 'right' ? { fill } : {}) } } : {}),
    ...(filler === undefined ? {} : { filler }),
  }
}

const prefixOf = (element: XmlElement, prefix: PrefixJson): PrefixJson =>
  element.attributes.get('inclusive') === 'true' ? { ...prefix, inclusive: true } : prefix

/** The longest value that a prefix can say, in what the length of the field counts. */
function lengthFitting(prefix: PrefixJson, packed: boolean, type: JposClass['type']) {
  const countMax = countMaxOf(prefix)
  if (prefix.unit !== 'nibbles') return countMax
  return type === 'b' && !packed ? Math.floor(countMax / 2) : Math.floor(countMax / 2) * 2
}

/** Children stand on the bytes that jPOS makes of the field's value. */
function containerEncoding({ type, encoding }: JposClass, path: string, { line }: XmlElement): FieldJson['encoding'] {
  if (type === 'b' && encoding !== 'bcd') return encoding
  if (encoding === 'latin1' || encoding === 'ascii') return 'binary'
  if (encoding === 'ebcdic') return 'binary-ebcdic'
  throw new ImportError(path, 'subfields in packed digits are not possible', line)
}

/** The bitmap that an element describes. */
export function bitmapOf(element: XmlElement, path: string): BitmapJson {
  const name = classNameOf(element, path)
  const known = jposBitmaps.get(name)
  if (known === undefined) throw new ImportError(path, `${name} is not a bitmap class that is known here`, element.line)
  const { encoding, fixedBytes } = known
  const bytesMax = fixedBytes ?? numberOf(element, 'length', path)
  if (bytesMax < 1) throw new ImportError(path, 'a bitmap must have at least one byte', element.line)
  if (bytesMax <= 8) return { encoding, bytes: bytesMax, bytesMax }
  return { encoding, bytes: 8, bytesMax: Math.min(Math.floor(bytesMax / 8) * 8, bitmapBytesMax) }
}

/** Of no length: packagers have them to keep a number free. */
export const isPlaceholder = (element: XmlElement) =>
  element.attributes.get('length') === '0' ||
  jposPlaceholders.has(element.attributes.get('class')?.split('.').pop() ?? '')

export function classOf(element: XmlElement, path: string): JposClass {
  const name = classNameOf(element, path)
  const known = jposClasses.get(name)
  if (known === undefined) throw new ImportError(path, `the class ${name} is not known here`, element.line)
  return known
}

export function classNameOf({ attributes, line }: XmlElement, path: string) {
  const name = attributes.get('class')?.trim().split('.').pop()
  if (!name) throw new ImportError(path, 'has no class', line)
  return name
}

export function numberOf({ attributes, line, name }: XmlElement, attribute: string, path: string) {
  const text = attributes.get(attribute)?.trim()
  if (text === undefined || !/^\d{1,7}$/.test(text)) {
    throw new ImportError(path, `${attribute} of ${name} must be a number, not ${JSON.stringify(text ?? null)}`, line)
  }
  return Number.parseInt(text, 10)
}

/** An attribute that may be absent. */
export const count = (element: XmlElement, attribute: string, path: string, fallback: number) =>
  element.attributes.has(attribute) ? numberOf(element, attribute, path) : fallback
