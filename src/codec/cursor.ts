import type { CodecErrorCode } from './errors.ts'

/**
 * Where an unpack stands. `text` and `hex` are the whole message as Latin-1 and as lower-case hexadecimal, made once: a
 * substring of them is several times cheaper than a slice of the Buffer per field. Each is empty where the dialect has
 * no use for it. A reader that fails returns undefined (or -1) and leaves `code`, `failedAt` and `path`; exceptions
 * would make refusing a malformed message dearer than answering a good one. `resumeAt` is where the next field begins
 * when the failed one's extent is known, else -1: so a letter in DE4 does not hide the STAN that the answer needs.
 */
export type Cursor = {
  readonly bytes: Buffer
  readonly text: string
  readonly hex: string
  offset: number
  end: number
  code: CodecErrorCode | undefined
  failedAt: number
  resumeAt: number
  path: string
  /** Where asked for: what was read, from which byte to which. */
  trace: TraceEntry[] | undefined
}

/** An element as it stands in the message: its prefix, and in a tagged composite its tag, are within. */
export type TraceEntry = { readonly key: string; readonly offset: number; end: number; readonly children: TraceEntry[] }

/** Which renderings of the whole message the value encodings of a dialect read from. */
export type Renderings = { text: boolean; hex: boolean }

export function openCursor(bytes: Buffer, renderings: Renderings): Cursor {
  return {
    bytes,
    text: renderings.text ? bytes.toString('latin1') : '',
    hex: renderings.hex ? bytes.toString('hex') : '',
    offset: 0,
    end: bytes.length,
    code: undefined,
    failedAt: 0,
    resumeAt: -1,
    path: '',
    trace: undefined,
  }
}

/** A failure after which nothing more can be read. */
export function fail(cursor: Cursor, code: CodecErrorCode, failedAt: number): undefined {
  cursor.code = code
  cursor.failedAt = failedAt
  cursor.resumeAt = -1
  return undefined
}

/** A failure inside a value whose end is known. */
export function reject(cursor: Cursor, code: CodecErrorCode, failedAt: number, resumeAt: number): undefined {
  cursor.code = code
  cursor.failedAt = failedAt
  cursor.resumeAt = resumeAt
  return undefined
}

/**
 * Where a pack stands. `bytes` is as large as the longest message of the dialect, so writers don't check for room; a
 * composite that overruns it writes nowhere and is refused by its maximum. A writer that fails returns false and leaves
 * `code` and `path`.
 */
export type Writer = {
  readonly bytes: Buffer
  offset: number
  code: CodecErrorCode | undefined
  path: string
}

export function refuse(writer: Writer, code: CodecErrorCode): false {
  writer.code = code
  return false
}

/** `55` and `9F26` → `55.9F26`. */
export const joinPath = (outer: string, inner: string) => (inner === '' ? outer : `${outer}.${inner}`)
