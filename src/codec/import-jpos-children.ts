import { isSigned } from './dialect-format.ts'
import {
  type ChildrenJson,
  type FieldJson,
  type FieldsJson,
  fieldsInBitmap,
  ImportError,
  type Warn,
} from './dialect-json.ts'
import {
  bitmapOf,
  classNameOf,
  classOf,
  count,
  fieldElements,
  fieldOf,
  isPlaceholder,
  numberOf,
} from './import-jpos.ts'
import { isTagged, taggedChildren } from './import-jpos-tags.ts'
import { jposBitmaps } from './jpos-classes.ts'
import type { XmlElement } from './xml.ts'

/** The children of a field, and how their bytes are sent if the packager says so and not the field's class. */
type ImportedChildren = { readonly children: ChildrenJson; readonly encoding?: FieldJson['encoding'] }

const berTlv: ChildrenJson = { kind: 'ber-tlv', fields: {} }

/** ISO 8583:2003 datasets: an identifier of one byte, a length of two. */
const datasets: ChildrenJson = {
  kind: 'tag-length',
  tag: { encoding: 'binary', width: 1 },
  prefix: { width: 2, encoding: 'binary' },
  fields: {},
}

/** Packagers that need no fields to be understood. The text ones stand in text fields, whose lengths count it. */
const selfContained: Readonly<Record<string, ImportedChildren>> = {
  BERTLVBinaryPackager: { children: berTlv },
  BERTLVAsciiHexPackager: { children: berTlv, encoding: 'hex' },
  BERTLVEbcdicHexPackager: { children: berTlv, encoding: 'hex-ebcdic' },
  DefaultICCBERTLVPackager: { children: berTlv },
  ICCDataPackager: { children: berTlv },
  DatasetPackager: { children: datasets },
}

/** Packagers whose subfields are in a bitmap or one after the other; `base1` has its bitmap, if any, as field 0. */
const structured: Readonly<Record<string, 'generic' | 'base1' | 'tagged'>> = {
  GenericPackager: 'generic',
  GenericValidatingPackager: 'generic',
  GenericSubFieldPackager: 'generic',
  X92GenericPackager: 'generic',
  Base1SubFieldPackager: 'base1',
  GenericTaggedFieldsPackager: 'tagged',
  TaggedSequencePackager: 'tagged',
  EuroSubFieldPackager: 'tagged',
  GICCSubFieldPackager: 'tagged',
  MasterCardEBCDICSubFieldPackager: 'tagged',
}

/** What an isofieldpackager holds; undefined where the field is kept whole. Throws ImportError. */
export function childrenOf(element: XmlElement, path: string, warn: Warn): ImportedChildren | undefined {
  const packager = packagerOf(element)
  const elements = fieldElements(element, path)
  const known = selfContained[packager]
  if (known !== undefined) {
    if (elements.size > 0)
      warn(path, `what is in the objects of ${packager} is not taken apart: their subfields are left out`)
    return known
  }
  const kind = structured[packager]
  if (kind === undefined)
    throw new ImportError(path, `the packager ${packager || '(none)'} is not known here`, element.line)
  const present = [...elements].filter(([, each]) => !isPlaceholder(each))
  if (present.length === 0) throw new ImportError(path, 'has no subfields', element.line)
  if (present.some(([number, each]) => isTagged(each, `${path}.${number}`))) {
    return { children: taggedChildren(element, present, path, warn) }
  }
  if (kind === 'tagged') throw new ImportError(path, `${packager} needs subfields of classes with tags`, element.line)
  if (kind === 'base1') return { children: base1Children(elements, path, warn) }
  const children = genericChildren(element, elements, path, warn)
  return children === undefined ? undefined : { children }
}

export const packagerOf = (element: XmlElement) => element.attributes.get('packager')?.trim().split('.').pop() ?? ''

const isBitmap = (element: XmlElement | undefined, path: string) =>
  element !== undefined && jposBitmaps.has(classNameOf(element, path))

function genericChildren(
  element: XmlElement,
  elements: ReadonlyMap<number, XmlElement>,
  path: string,
  warn: Warn,
): ChildrenJson | undefined {
  const isSubField = packagerOf(element) === 'GenericSubFieldPackager'
  if (element.attributes.get('emitBitmap') === 'false') {
    // The message packager reads field 0 as its message type; the sub-field packager does so only when told.
    const first = count(element, 'firstField', path, firstOf(elements, path))
    return positional(elements, number => number >= first || (number === 0 && !isSubField), path, warn)
  }
  const bitmapNumber = count(element, 'bitmapField', path, 1)
  const bitmapElement = elements.get(bitmapNumber)
  if (!element.attributes.has('emitBitmap') && !isBitmap(bitmapElement, `${path}.${bitmapNumber}`)) {
    warn(
      path,
      `field ${bitmapNumber} of its subfields is no bitmap, which jPOS needs without emitBitmap="false": kept whole`,
    )
    return undefined
  }
  if (bitmapElement === undefined) throw new ImportError(path, `has no bitmap as field ${bitmapNumber}`, element.line)
  const headerBytes = count(element, 'headerLength', path, 0)
  const leading = elements.get(0)
  const leadingBytes =
    leading === undefined || bitmapNumber === 0 || isSubField || isPlaceholder(leading)
      ? 0
      : fixedBytes(leading, path, 0)
  return bitmapped(elements, bitmapElement, headerBytes + leadingBytes, path, warn)
}

/** Where jPOS begins to read subfields without a bitmap if it is not told. */
function firstOf(elements: ReadonlyMap<number, XmlElement>, path: string) {
  if (elements.get(0)?.name === 'isofieldpackager' || Math.max(...elements.keys()) < 1) return 0
  return isBitmap(elements.get(1), `${path}.1`) ? 2 : 1
}

function base1Children(elements: ReadonlyMap<number, XmlElement>, path: string, warn: Warn): ChildrenJson {
  const first = elements.get(0)
  if (first === undefined || !isBitmap(first, `${path}.0`)) return positional(elements, () => true, path, warn)
  return bitmapped(elements, first, 0, path, warn)
}

/** The size of what stands in front like a message type, kept as raw bytes. */
export function fixedBytes(element: XmlElement, path: string, number: number) {
  const at = `${path}.${number}`
  const { type, encoding, prefix } = classOf(element, at)
  const length = numberOf(element, 'length', at)
  if (prefix !== undefined || encoding.startsWith('hex')) {
    throw new ImportError(at, 'what stands in front must have a fixed length', element.line)
  }
  return encoding === 'bcd' ? Math.ceil((isSigned(type) ? length + 1 : length) / 2) : length
}

function bitmapped(
  elements: ReadonlyMap<number, XmlElement>,
  bitmapElement: XmlElement,
  headerBytes: number,
  path: string,
  warn: Warn,
): ChildrenJson {
  const bitmap = bitmapOf(bitmapElement, path)
  const fields: FieldsJson = {}
  for (const [number, element] of elements) {
    if (number === 0 || element === bitmapElement || isPlaceholder(element)) continue
    fields[number] = fieldOf(element, `${path}.${number}`, warn)
  }
  return {
    kind: 'bitmap',
    ...(headerBytes === 0 ? {} : { headerBytes }),
    bitmap,
    fields: fieldsInBitmap(fields, bitmap, path, warn),
  }
}

function positional(
  elements: ReadonlyMap<number, XmlElement>,
  isRead: (number: number) => boolean,
  path: string,
  warn: Warn,
): ChildrenJson {
  const fields: FieldsJson = {}
  for (const [number, element] of elements) {
    if (isPlaceholder(element)) continue
    if (isRead(number)) fields[number] = fieldOf(element, `${path}.${number}`, warn)
    else warn(`${path}.${number}`, 'jPOS begins with a later subfield (firstField): left out')
  }
  return { kind: 'positional', fields }
}
