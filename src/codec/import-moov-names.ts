import { isObject, type Json } from './import-moov.ts'

const encodings: Readonly<Record<string, string>> = {
  asciiEncoder: 'ASCII',
  bcdEncoder: 'BCD',
  lBCDEncoder: 'LBCD',
  ebcdicEncoder: 'EBCDIC',
  binaryEncoder: 'Binary',
  hexEncoder: 'Hex',
}

const families: Readonly<Record<string, string>> = {
  ascii: 'ASCII',
  bcd: 'BCD',
  ebcdic: 'EBCDIC',
  binary: 'Binary',
  hex: 'Hex',
}

/**
 * The fields of a specification in the words of today. For a short time they were exported under the names of the Go
 * types: Field002 of type field.String, encoding.asciiEncoder, prefix.asciiVarPrefixer with a prefix_length, and
 * padding.leftPadder with the code of its character. A name that is not known stays, to be refused by it.
 */
export function inPresentNames(fields: Json): Json {
  return Object.fromEntries(
    Object.entries(fields).map(([key, field]) => {
      const number = /^Field(\d{3})$/.exec(key)?.[1]
      return [
        number === undefined ? key : String(Number.parseInt(number, 10)),
        isObject(field) ? renamed(field) : field,
      ]
    }),
  )
}

function renamed(field: Json): Json {
  if (typeof field.type !== 'string' || !field.type.startsWith('field.')) return field
  const encoding = encodings[withoutPackage(field.enc)] ?? field.enc
  return {
    ...field,
    type: withoutPackage(field.type),
    enc: encoding,
    prefix: prefixOf(field),
    ...(isObject(field.padding) ? { padding: paddingOf(field.padding) } : {}),
  }
}

function prefixOf({ prefix, prefix_length: length }: Json) {
  const [, family = '', kind = ''] = /^([a-z]+)(Fixed|Var)Prefixer$/.exec(withoutPackage(prefix)) ?? []
  if (families[family] === undefined) return prefix
  return `${families[family]}.${kind === 'Fixed' ? kind : 'L'.repeat(typeof length === 'number' ? length : 0)}`
}

function paddingOf({ type, pad }: Json): Json {
  const side = { leftPadder: 'Left', rightPadder: 'Right', nonePadder: 'None' }[withoutPackage(type)]
  return { type: side ?? type, pad: typeof pad === 'number' ? String.fromCodePoint(pad) : pad }
}

const withoutPackage = (name: unknown) => String(name).replace(/^\w+\./, '')
