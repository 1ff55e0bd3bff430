import { isSigned } from './dialect-format.ts'
import { type ChildrenJson, type FieldJson, type FieldsJson, fieldsInBitmap, ImportError } from './dialect-json.ts'
import {
  bitmapOf,
  classNameOf,
  classOf,
  count,
  fieldElements,
  fieldOf,
  isPlaceholder,
  numberOf,
  plainField,
} from './import-jpos.ts'
import { type JposClass, jposBitmaps, jposClasses } from './jpos-classes.ts'
import type { XmlElement } from './xml.ts'

/** The children of a field, and how their bytes are sent if the packager says so and not the field's class. */
export type ImportedChildren = { readonly children: ChildrenJson; readonly encoding?: FieldJson['encoding'] }

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
  EuroSubFieldPackager: 'tagged',
  MasterCardEBCDICSubFieldPackager: 'tagged',
}

/** What an isofieldpackager holds. Throws ImportError. */
export function childrenOf(element: XmlElement, path: string): ImportedChildren {
  const packager = element.attributes.get('packager')?.trim().split('.').pop() ?? ''
  const known = selfContained[packager]
  if (known !== undefined) return known
  const kind = structured[packager]
  if (kind === undefined)
    throw new ImportError(path, `the packager ${packager || '(none)'} is not known here`, element.line)
  const elements = fieldElements(element, path)
  const present = [...elements].filter(([, each]) => !isPlaceholder(each))
  if (present.length === 0) throw new ImportError(path, 'has no subfields', element.line)
  const tagged = present.filter(([number, each]) => isTagged(each, `${path}.${number}`))
  if (tagged.length > 0) return { children: taggedChildren(present, path) }
  if (kind === 'tagged') throw new ImportError(path, `${packager} needs subfields of classes with tags`, element.line)
  return { children: kind === 'base1' ? base1Children(elements, path) : genericChildren(element, elements, path) }
}

const isTagged = (element: XmlElement, path: string) => jposClasses.get(classNameOf(element, path))?.tag !== undefined

function genericChildren(element: XmlElement, elements: ReadonlyMap<number, XmlElement>, path: string): ChildrenJson {
  const isSubField = element.attributes.get('packager')?.endsWith('GenericSubFieldPackager') === true
  if (element.attributes.get('emitBitmap') === 'false') {
    // The sub-field packager begins after field 0 unless told; the message packager reads 0 as its message type.
    return positional(elements, count(element, 'firstField', path, isSubField ? 1 : 0), path)
  }
  const bitmapNumber = count(element, 'bitmapField', path, 1)
  const bitmapElement = elements.get(bitmapNumber)
  if (bitmapElement === undefined) throw new ImportError(path, `has no bitmap as field ${bitmapNumber}`, element.line)
  const headerBytes = count(element, 'headerLength', path, 0)
  const leading = elements.get(0)
  const leadingBytes =
    leading === undefined || bitmapNumber === 0 || isSubField || isPlaceholder(leading) ? 0 : fixedBytes(leading, path)
  return bitmapped(elements, bitmapElement, headerBytes + leadingBytes, path)
}

function base1Children(elements: ReadonlyMap<number, XmlElement>, path: string): ChildrenJson {
  const first = elements.get(0)
  if (first === undefined || !jposBitmaps.has(classNameOf(first, `${path}.0`))) return positional(elements, 0, path)
  return bitmapped(elements, first, 0, path)
}

/** What stands before the bitmap like a message type, kept as raw bytes. */
function fixedBytes(element: XmlElement, path: string) {
  const at = `${path}.0`
  const { type, encoding, prefix } = classOf(element, at)
  const length = numberOf(element, 'length', at)
  if (prefix !== undefined || encoding.startsWith('hex')) {
    throw new ImportError(at, 'before a bitmap must have a fixed length', element.line)
  }
  return encoding === 'bcd' ? Math.ceil((isSigned(type) ? length + 1 : length) / 2) : length
}

function bitmapped(
  elements: ReadonlyMap<number, XmlElement>,
  bitmapElement: XmlElement,
  headerBytes: number,
  path: string,
): ChildrenJson {
  const bitmap = bitmapOf(bitmapElement, path)
  const fields: FieldsJson = {}
  for (const [number, element] of elements) {
    if (number === 0 || element === bitmapElement || isPlaceholder(element)) continue
    fields[number] = fieldOf(element, `${path}.${number}`)
  }
  return {
    kind: 'bitmap',
    ...(headerBytes === 0 ? {} : { headerBytes }),
    bitmap,
    fields: fieldsInBitmap(fields, bitmap),
  }
}

function positional(elements: ReadonlyMap<number, XmlElement>, first: number, path: string): ChildrenJson {
  const fields: FieldsJson = {}
  for (const [number, element] of elements) {
    if (number >= first && !isPlaceholder(element)) fields[number] = fieldOf(element, `${path}.${number}`)
  }
  return { kind: 'positional', fields }
}

/** Subfields that bring their numbers as tags; a field 0 of fixed length may stand before them. */
function taggedChildren(present: readonly (readonly [number, XmlElement])[], path: string): ChildrenJson {
  const [first] = present
  const leading = first !== undefined && first[0] === 0 && !isTagged(first[1], `${path}.0`) ? first[1] : undefined
  const members = present.filter(([, element]) => element !== leading)
  const classes = members.map(([number, element]) => ({
    number,
    element,
    known: classOf(element, `${path}.${number}`),
  }))
  const { tag, lengthFirst, prefix } = classes[0]!.known
  const fields: FieldsJson = {}
  for (const { number, element, known } of classes) {
    const at = `${path}.${number}`
    if (tag === undefined || prefix === undefined || !isAlike(known, classes[0]!.known)) {
      throw new ImportError(at, 'subfields with tags must all have tags and lengths alike', element.line)
    }
    if (String(number).length > tag.width) {
      throw new ImportError(at, `does not fit a tag of ${tag.width} digits`, element.line)
    }
    fields[String(number).padStart(tag.width, '0')] = taggedField(element, known, at)
  }
  return {
    kind: 'tag-length',
    ...(leading === undefined ? {} : { headerBytes: fixedBytes(leading, path) }),
    tag: tag!,
    ...(lengthFirst ? { lengthFirst } : {}),
    prefix: { ...prefix!, unit: 'bytes' },
    fields,
  }
}

const isAlike = (one: JposClass, other: JposClass) =>
  one.lengthFirst === other.lengthFirst &&
  JSON.stringify([one.tag, one.prefix]) === JSON.stringify([other.tag, other.prefix])

/** Its prefix is that of the composite. */
function taggedField(element: XmlElement, known: JposClass, path: string): FieldJson {
  const name = element.attributes.get('name')?.trim() || `Field ${path}`
  const { prefix: _, ...field } = plainField(element, known, name, Math.max(1, numberOf(element, 'length', path)), path)
  return field
}
