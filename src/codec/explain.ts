import { bitmapHex } from './bitmap.ts'
import { childrenCodec } from './composites.ts'
import { openCursor, type Renderings, type TraceEntry } from './cursor.ts'
import type { ChildrenFormat, DialectFormat, FieldFormat } from './dialect-format.ts'

/** An element of a message as it stands on the wire. */
type ExplainedElement = {
  /** `header`, `mti`, `bitmap`, `4`, `127.25`, `55.9F26`. */
  readonly path: string
  readonly name: string
  readonly offset: number
  /** With its tag and its length prefix. */
  readonly bytes: Buffer
}

const mtiBytes = { ascii: 4, ebcdic: 4, bcd: 2 } as const

/**
 * Where each element of a message stands, in wire order, as far as it can be read: the last one may be cut short. What
 * is wrong with it, `unpack` says.
 */
export function explain(format: DialectFormat, message: Buffer): ExplainedElement[] {
  const trace: TraceEntry[] = []
  let offset = 0
  for (const [key, bytes] of [
    ['header', format.headerBytes],
    ['mti', mtiBytes[format.mti.encoding]],
  ] as const) {
    if (bytes > 0 && offset < message.length) {
      trace.push({ key, offset, end: Math.min(offset + bytes, message.length), children: [] })
    }
    offset += bytes
  }
  if (offset < message.length) {
    const renderings: Renderings = { text: false, hex: false }
    const body: ChildrenFormat = { kind: 'bitmap', headerBytes: 0, bitmap: format.bitmap, fields: format.fields }
    const codec = childrenCodec(body, renderings)
    const cursor = openCursor(message, renderings)
    cursor.offset = offset
    cursor.trace = trace
    codec.unpack(cursor)
  }
  const elements: ExplainedElement[] = []
  for (const entry of trace) {
    const field = format.fields.get(Number.parseInt(entry.key, 10))
    list(elements, entry, entry.key, frontNames[entry.key] ?? field?.name ?? '', field, message)
  }
  return elements
}

const frontNames: Readonly<Record<string, string>> = {
  header: 'Header',
  mti: 'Message type indicator',
  bitmap: 'Bitmap',
}

function list(
  elements: ExplainedElement[],
  { offset, end, children }: TraceEntry,
  path: string,
  name: string,
  field: FieldFormat | undefined,
  message: Buffer,
) {
  elements.push({ path, name, offset, bytes: message.subarray(offset, end) })
  for (const child of children) {
    const format = childFormat(field?.children, child.key)
    const childName = format?.name ?? frontNames[child.key] ?? ''
    list(elements, child, `${path}.${child.key}`, childName, format, message)
  }
}

function childFormat(children: ChildrenFormat | undefined, key: string) {
  if (children === undefined) return undefined
  return children.kind === 'bitmap' ? children.fields.get(Number.parseInt(key, 10)) : children.fields.get(key)
}

/** The bitmap of a message as hexadecimal, however it is sent; undefined where there is none. */
export function bitmapOf(format: DialectFormat, message: Buffer): string | undefined {
  const start = format.headerBytes + mtiBytes[format.mti.encoding]
  return start < message.length ? bitmapHex(format.bitmap, message.subarray(start)) : undefined
}
