import type { Page, PageRequest } from '../../core/admin.ts'

/** A page of rows that were read one beyond its limit, so that it is known whether there are more. */
export function pageOf<Item>(
  rows: readonly Item[],
  { limit }: PageRequest,
  cursorOf: (item: Item) => string,
): Page<Item> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(last) : null }
}
