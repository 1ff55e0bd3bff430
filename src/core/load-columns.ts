/** What a column of a file of loads holds. */
const loadFields = ['national', 'card', 'reference', 'mobile', 'amount', 'program', 'expiry'] as const
export type LoadField = (typeof loadFields)[number]

/** The columns that name a holder, the most precise first. */
export const holderFields = ['reference', 'card', 'national', 'mobile'] as const
export type HolderField = (typeof holderFields)[number]

/** How the columns are called, in files that finance departments send: compared as `plainTitle` has them. */
const titles: Readonly<Record<LoadField, readonly string[]>> = {
  national: [
    'nationalcode',
    'nationalid',
    'nationalnumber',
    'national',
    'کدملی',
    'شمارهملی',
    'کدملیکارمند',
    'شناسهملی',
  ],
  card: ['card', 'cardnumber', 'cardno', 'pan', 'شمارهکارت', 'کارت'],
  reference: [
    'reference',
    'ref',
    'employee',
    'employeeid',
    'employeenumber',
    'employeecode',
    'personnelcode',
    'personnelnumber',
    'holder',
    'شناسه',
    'شناسهکارمند',
    'کدپرسنلی',
    'شمارهپرسنلی',
    'کدکارمند',
    'مرجع',
  ],
  mobile: [
    'mobile',
    'mobilenumber',
    'mobileno',
    'phone',
    'cellphone',
    'موبایل',
    'شمارهموبایل',
    'تلفنهمراه',
    'شمارههمراه',
    'شمارهتلفنهمراه',
    'همراه',
  ],
  amount: [
    'amount',
    'value',
    'loadamount',
    'amountirr',
    'مبلغ',
    'مبلغشارژ',
    'مبلغاعتبار',
    'مبلغریال',
    'مبلغبهریال',
    'شارژ',
  ],
  program: ['program', 'programcode', 'plan', 'طرح', 'کدطرح', 'برنامه', 'کدبرنامه'],
  expiry: [
    'expiry',
    'expires',
    'expiresat',
    'expirydate',
    'expirationdate',
    'validuntil',
    'انقضا',
    'تاریخانقضا',
    'مهلت',
  ],
}

const fieldByTitle = new Map(loadFields.flatMap(field => titles[field].map(title => [title, field] as const)))

/**
 * A title without what people vary: case, Arabic letters for Persian ones, blanks, joiners, signs, a unit in brackets.
 * Toman in a title stays in it, so that such a column is not taken for one of rials, ten times less.
 */
export function plainTitle(title: string): string {
  const text = title.normalize('NFKC').toLowerCase().replaceAll('ي', 'ی').replaceAll('ى', 'ی').replaceAll('ك', 'ک')
  const bare = /toman|تومان/.test(text) ? text : text.replace(/\(.*?\)|\[.*?\]/g, '')
  return bare.replaceAll('ة', 'ه').replace(/[^\p{L}\p{N}]/gu, '')
}

export interface LoadColumns {
  /** Index of each column that is there. */
  readonly at: Readonly<Partial<Record<LoadField, number>>>
  /** Index of the row with the titles. */
  readonly row: number
  /** Titles that say nothing to the switch. */
  readonly ignored: readonly string[]
}

export interface ColumnsError {
  readonly field: LoadField | 'columns'
  readonly message: string
}

/** Rows in front of the titles, such as the name of the list. */
const titleRowsMax = 10

/** Finds the row of titles, and what its columns are. */
export function findColumns(rows: readonly (readonly string[])[]): LoadColumns | { readonly error: ColumnsError } {
  let seen: Partial<Record<LoadField, number>> = {}
  for (let row = 0; row < Math.min(rows.length, titleRowsMax); row++) {
    const at: Partial<Record<LoadField, number>> = {}
    const ignored: string[] = []
    for (const [index, title] of (rows[row] as readonly string[]).entries()) {
      const field = fieldByTitle.get(plainTitle(title))
      if (field === undefined) {
        if (title.trim() !== '') ignored.push(title.trim().slice(0, 64))
        continue
      }
      if (at[field] !== undefined) return { error: { field, message: 'is there twice: one column for each' } }
      at[field] = index
    }
    if (at.amount !== undefined && holderFields.some(field => at[field] !== undefined)) return { at, row, ignored }
    if (Object.keys(at).length > Object.keys(seen).length) seen = at
  }
  if (seen.amount === undefined) {
    return {
      error: { field: 'amount', message: 'is missing: a column such as amount or مبلغ, in whole currency units' },
    }
  }
  const message = 'must have a column that names the holder: reference, card number, national code or mobile'
  return { error: { field: 'columns', message } }
}
