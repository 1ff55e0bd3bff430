import { bitmapCodec } from './bitmap.ts'
import { type Cursor, fail, joinPath, type Renderings, refuse, type TraceEntry, type Writer } from './cursor.ts'
import type { ChildrenFormat } from './dialect-format.ts'
import { type ElementCodec, elementCodec } from './elements.ts'
import type { Composite } from './message.ts'
import { binary } from './packed.ts'
import { berTlvChildren, tagLengthChildren } from './tags.ts'

/** What is inside a composite field. `unpack` reads to `cursor.end`; a failing child is named in `path`. */
export type ChildrenCodec = {
  unpack(cursor: Cursor): Composite | undefined
  pack(writer: Writer, composite: Composite): boolean
}

export function childrenCodec(format: ChildrenFormat, renderings: Renderings): ChildrenCodec {
  switch (format.kind) {
    case 'positional':
      return positionalChildren(format, renderings)
    case 'bitmap':
      return bitmapChildren(format, renderings)
    case 'ber-tlv':
      return berTlvChildren(format, renderings)
    case 'tag-length':
      return tagLengthChildren(format, renderings)
  }
}

/**
 * Reads one child into `composite`, or leaves its key in the path of the failure. `start` is where its tag begins.
 */
export function unpackChild(
  cursor: Cursor,
  composite: Composite,
  key: string,
  codec: ElementCodec,
  start = cursor.offset,
) {
  const value = cursor.trace === undefined ? codec.unpack(cursor) : traced(cursor, key, codec, cursor.trace, start)
  if (value === undefined) return failChild(cursor, key)
  composite.set(key, value)
  return true
}

function traced(cursor: Cursor, key: string, codec: ElementCodec, trace: TraceEntry[], start: number) {
  const entry: TraceEntry = { key, offset: start, end: start, children: [] }
  trace.push(entry)
  cursor.trace = entry.children
  const value = codec.unpack(cursor)
  cursor.trace = trace
  entry.end = cursor.offset
  return value
}

/** Notes what was read from `offset` up to here. */
function note(cursor: Cursor, key: string, offset: number) {
  cursor.trace?.push({ key, offset, end: cursor.offset, children: [] })
}

/** The raw bytes before a bitmap or before tags; false after `fail`. */
export function unpackHeader(cursor: Cursor, composite: Composite, bytes: number) {
  if (bytes === 0) return true
  const start = cursor.offset
  const header = binary.read(cursor, 2 * bytes)
  if (header === undefined) return failChild(cursor, 'header')
  composite.set('header', header)
  note(cursor, 'header', start)
  return true
}

export function failChild(cursor: Cursor, key: string): false {
  cursor.path = joinPath(key, cursor.path)
  return false
}

export function packChild(writer: Writer, value: string | Composite, key: string, codec: ElementCodec) {
  return codec.pack(writer, value) || failPackChild(writer, key)
}

export function failPackChild(writer: Writer, key: string): false {
  writer.path = joinPath(key, writer.path)
  return false
}

function positionalChildren(
  { fields }: Extract<ChildrenFormat, { kind: 'positional' }>,
  renderings: Renderings,
): ChildrenCodec {
  const children = Array.from(fields, ([key, field]) => ({ key, codec: elementCodec(field, renderings) }))
  return {
    unpack(cursor) {
      const composite: Composite = new Map()
      for (const { key, codec } of children) {
        if (cursor.offset === cursor.end) break
        if (!unpackChild(cursor, composite, key, codec)) return undefined
      }
      return composite
    },
    pack(writer, composite) {
      let packed = 0
      for (const { key, codec } of children) {
        const value = composite.get(key)
        if (value === undefined) break
        if (!packChild(writer, value, key, codec)) return false
        packed++
      }
      if (packed === composite.size) return true
      for (const key of composite.keys()) {
        if (!fields.has(key)) return refuse(writer, 'undefined_field') || failPackChild(writer, key)
      }
      return refuse(writer, 'missing_child') || failPackChild(writer, children[packed]!.key)
    },
  }
}

function bitmapChildren(
  { bitmap, headerBytes, fields }: Extract<ChildrenFormat, { kind: 'bitmap' }>,
  renderings: Renderings,
): ChildrenCodec {
  const map = bitmapCodec(bitmap)
  const codecs: (ElementCodec | undefined)[] = []
  for (const [number, field] of fields) codecs[number] = elementCodec(field, renderings)
  if (headerBytes > 0) renderings.hex = true

  return {
    unpack(cursor) {
      const composite: Composite = new Map()
      if (!unpackHeader(cursor, composite, headerBytes)) return undefined
      const bits = new Uint8Array(bitmap.bytesMax)
      const start = cursor.offset
      const bytes = map.read(cursor, bits)
      if (bytes < 0) return void failChild(cursor, 'bitmap')
      note(cursor, 'bitmap', start)
      for (let number = 1; number <= bytes * 8; number++) {
        if ((bits[(number - 1) >> 3]! & (0x80 >> ((number - 1) & 7))) === 0) continue
        const codec = codecs[number]
        if (codec === undefined) {
          fail(cursor, 'undefined_field', cursor.offset)
          return void failChild(cursor, String(number))
        }
        if (!unpackChild(cursor, composite, String(number), codec)) return undefined
      }
      return composite
    },
    pack(writer, composite) {
      const bits = new Uint8Array(bitmap.bytesMax)
      const numbers: number[] = []
      for (const key of composite.keys()) {
        if (key === 'header' && headerBytes > 0) continue
        const number = /^[1-9]\d*$/.test(key) ? Number.parseInt(key, 10) : 0
        if (codecs[number] === undefined) return refuse(writer, 'undefined_field') || failPackChild(writer, key)
        bits[(number - 1) >> 3]! |= 0x80 >> ((number - 1) & 7)
        numbers.push(number)
      }
      numbers.sort((a, b) => a - b)
      if (headerBytes > 0 && !packHeader(writer, composite.get('header'), headerBytes)) {
        return failPackChild(writer, 'header')
      }
      const highest = numbers.at(-1) ?? 1
      map.write(writer, writer.offset, bits, highest)
      writer.offset += map.wireBytes(highest)
      return numbers.every(number => {
        const key = String(number)
        return packChild(writer, composite.get(key)!, key, codecs[number]!)
      })
    },
  }
}

/** Raw bytes before a bitmap or an MTI, as hexadecimal. */
export function packHeader(writer: Writer, header: string | Composite | undefined, bytes: number) {
  if (typeof header !== 'string' || header.length < 2 * bytes) return refuse(writer, 'too_short')
  if (header.length > 2 * bytes) return refuse(writer, 'too_long')
  return binary.write(writer, header)
}
