import type { Warn } from './dialect-json.ts'
import { importJpos } from './import-jpos.ts'
import { importMoov, isMoov } from './import-moov.ts'

export type DialectSource = 'charsu' | 'jpos' | 'moov'

/**
 * The dialect of a file: ours as it stands, unchecked, or what a jPOS packager (XML) or a moov-io/iso8583
 * specification (JSON) says in our format. Throws ImportError where that is not possible, SyntaxError where it is
 * neither XML nor JSON. `warn` is told of each part that is left out.
 */
export function importDialect(
  text: string,
  name: string,
  warn: Warn = () => undefined,
): { source: DialectSource; json: unknown } {
  if (/^\ufeff?\s*</.test(text)) return { source: 'jpos', json: importJpos(text, name, warn) }
  const json: unknown = JSON.parse(text.replace(/^\ufeff/, ''))
  return isMoov(json) ? { source: 'moov', json: importMoov(json, name, warn) } : { source: 'charsu', json }
}
