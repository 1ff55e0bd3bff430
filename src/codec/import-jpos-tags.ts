import { type ChildrenJson, type FieldJson, type FieldsJson, ImportError, type Warn } from './dialect-json.ts'
import { classNameOf, classOf, fieldOfClass, numberOf } from './import-jpos.ts'
import { fixedBytes, packagerOf } from './import-jpos-children.ts'
import { type JposClass, jposClasses } from './jpos-classes.ts'
import type { XmlElement } from './xml.ts'

/** Whether its number, or the token that stands for it, is in front of a subfield. */
export const isTagged = (element: XmlElement, path: string) => {
  const known = jposClasses.get(classNameOf(element, path))
  return known?.tag !== undefined || known?.token === true
}

/** Tag mappers whose tag is the number of the subfield. */
const decimalMappers: ReadonlySet<string> = new Set(['TTDecimalTagMapper', 'TTTDecimalTagMapper'])

type Member = { readonly number: number; readonly element: XmlElement; readonly known: JposClass }

/** Subfields with tags; others, of fixed length, may stand before them. */
export function taggedChildren(
  parent: XmlElement,
  present: readonly (readonly [number, XmlElement])[],
  path: string,
  warn: Warn,
): ChildrenJson {
  const start = present.findIndex(([number, element]) => isTagged(element, `${path}.${number}`))
  const headerBytes = leadingBytes(parent, present.slice(0, start), path, warn)
  const members = present.slice(start).map(([number, element]) => ({
    number,
    element,
    known: classOf(element, `${path}.${number}`),
  }))
  const { known: first } = members[0]!
  for (const { number, element, known } of members) {
    if (isAlike(known, first)) continue
    throw new ImportError(`${path}.${number}`, 'subfields with tags must all have tags alike', element.line)
  }
  const tag = first.tag ?? { encoding: 'ascii', width: required(parent, 'token', path).length }
  const common = members.every(({ known }) => samePrefix(known, first)) ? first.prefix : undefined
  return {
    kind: 'tag-length',
    ...(headerBytes === 0 ? {} : { headerBytes }),
    tag,
    ...(first.lengthFirst ? { lengthFirst: true } : {}),
    ...(common === undefined ? {} : { prefix: { ...common, unit: 'bytes' } }),
    ...keyed(parent, members, tag.width, common !== undefined, path, warn),
  }
}

function leadingBytes(
  parent: XmlElement,
  leading: readonly (readonly [number, XmlElement])[],
  path: string,
  warn: Warn,
) {
  const bytes = leading.reduce((sum, [number, element]) => sum + fixedBytes(element, path, number), 0)
  if (bytes === 0 || packagerOf(parent) !== 'GICCSubFieldPackager') return bytes
  warn(`${path}.0`, 'a filler that may stand in front is left out: a message with it is refused')
  return 0
}

/** The formats by tag; `other` is for tags that are not told, or that only Java code knows. */
function keyed(
  parent: XmlElement,
  members: readonly Member[],
  width: number,
  hasCommonPrefix: boolean,
  path: string,
  warn: Warn,
): { fields: FieldsJson; other?: FieldJson } {
  const fieldOf = (member: Member) => memberField(member, hasCommonPrefix, path, warn)
  const mapper = parent.attributes.get('tagMapper')?.trim().split('.').pop()
  if (mapper !== undefined && !decimalMappers.has(mapper)) {
    warn(path, `the tags of ${mapper} are not known here: its subfields go by the tags that are sent`)
    return { fields: {}, other: fieldOf(members[0]!) }
  }
  const fields: FieldsJson = {}
  let other: FieldJson | undefined
  for (const member of members) {
    const { number, element, known } = member
    const at = `${path}.${number}`
    const key = known.token ? required(element, 'token', at) : String(number)
    if (known.token ? key.length !== width : key.length > width) {
      throw new ImportError(at, `"${key}" is no tag of ${width} characters`, element.line)
    }
    const field = fieldOf(member)
    if (known.token && /^#+$/.test(key)) other = field
    else fields[key.padStart(width, '0')] = field
  }
  return { fields, ...(other === undefined ? {} : { other }) }
}

/** Without its prefix, if that is the composite's. */
function memberField(
  { number, element, known }: Member,
  hasCommonPrefix: boolean,
  path: string,
  warn: Warn,
): FieldJson {
  const at = `${path}.${number}`
  const length = Math.max(1, numberOf(element, 'length', at))
  const { prefix, ...field } = fieldOfClass(element, known, length, at, warn)
  return hasCommonPrefix ? field : { ...field, prefix: prefix ?? 'none' }
}

function required({ attributes, line }: XmlElement, attribute: string, path: string) {
  const value = attributes.get(attribute)
  if (!value) throw new ImportError(path, `has no ${attribute}`, line)
  return value
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)
const samePrefix = (one: JposClass, other: JposClass) => same(one.prefix, other.prefix)

/** A length in front of the tag has to be that of all. */
const isAlike = (one: JposClass, other: JposClass) =>
  same([one.tag, one.token, one.lengthFirst], [other.tag, other.token, other.lengthFirst]) &&
  (one.lengthFirst === undefined || samePrefix(one, other))
