/** What can be wrong with a message. The texts never contain what was in the message. */
export const codecErrorTexts = {
  truncated: 'the message ends inside this element',
  bad_character: 'a character that its type does not allow',
  bad_length: 'its length prefix is not a valid length',
  too_long: 'longer than its maximum',
  too_short: 'shorter than its fixed length',
  bad_padding: 'a spare half byte is neither 0 nor F, or the rest of an area is not its filler',
  bad_bitmap: 'the bitmap is not valid',
  bad_tag: 'a tag or its length is not valid',
  duplicate_tag: 'the same tag twice',
  missing_child: 'a child is absent and a later one is not',
  undefined_field: 'the dialect does not define this field',
  not_composite: 'a field with children needs a composite, and one without needs text',
  trailing_bytes: 'bytes left after the last field',
} as const

export type CodecErrorCode = keyof typeof codecErrorTexts

/**
 * Where and why a message does not decode. `path` is `header`, `mti`, `bitmap`, `message`, a data element (`4`) or a
 * child of one (`55.9F26`); `offset` is the byte of the message. Never a value: it is safe to log.
 */
export type UnpackError = {
  readonly path: string
  readonly offset: number
  readonly code: CodecErrorCode
  readonly text: string
}

/** Thrown by `pack`: the caller built a message that the dialect can't carry. Names the path, never the value. */
export class CodecError extends Error {
  readonly path: string
  readonly code: CodecErrorCode

  constructor(path: string, code: CodecErrorCode) {
    super(`${path}: ${code}: ${codecErrorTexts[code]}`)
    this.name = 'CodecError'
    this.path = path
    this.code = code
  }
}
