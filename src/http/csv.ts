/** One record of RFC 4180, with its line end. */
export const csvRecord = (fields: readonly (string | number | bigint | null)[]): string =>
  `${fields.map(field => csvField(field)).join(',')}\r\n`

function csvField(field: string | number | bigint | null): string {
  if (field === null) return ''
  if (typeof field !== 'string') return String(field)
  // A spreadsheet would take such a text for a formula; a merchant's reference must not become one.
  const text = /^[=+\-@\t\r]/.test(field) ? `'${field}` : field
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
