/**
 * An ISO 8583 message. `fields` is indexed by data element number (2 to 128, or to 192 with a tertiary bitmap) and ends
 * somewhere behind the last one; it has wire text: digits, text, or upper-case hexadecimal for binary fields; a
 * separator in BCD track 2 is `=`. A field that the dialect gives children is in `composites` instead. `header` is the
 * bytes before the MTI as upper-case hexadecimal, where the dialect has such a header.
 */
export type Message = {
  mti: string
  fields: (string | undefined)[]
  composites?: Map<number, Composite> | undefined
  header?: string | undefined
}

/**
 * Children of a field by key, in wire order: the position or bit number (`'2'`), or the tag (`'9F26'`). A Map, because
 * an object would put the tags that look like integers first. The bytes before a child bitmap, where there are such,
 * have the key `header`.
 */
export type Composite = Map<string, string | Composite>

/** An empty message with room for the data elements up to `highest`, so that later writes don't grow the array. */
export function newMessage(mti: string, highest = 128): Message {
  return { mti, fields: new Array<string | undefined>(highest + 1), composites: undefined, header: undefined }
}
