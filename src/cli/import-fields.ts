import { readFileSync } from 'node:fs'
import { plainTitle } from '../core/load-columns.ts'
import type { ImportKind } from '../store/import/progress.ts'
import { cleanCell, noCleanings } from './import-clean.ts'
import { OperatorError } from './key-store.ts'

interface FieldTitles {
  readonly isRequired?: true
  /** In the plain form of `plainTitle`: letters and digits only. The name of the field is one of itself. */
  readonly titles: readonly string[]
}

const person: Readonly<Record<string, FieldTitles>> = {
  reference: {
    titles: [
      ...['ref', 'holder', 'employee', 'employeeid', 'employeenumber', 'employeecode', 'customer', 'customerid'],
      ...['personnelcode', 'personnelnumber', 'externalreference', 'کدپرسنلی', 'شمارهپرسنلی', 'کدکارمند', 'کدمشتری'],
      ...['شمارهمشتری', 'شناسه', 'مرجع'],
    ],
  },
  name: { titles: ['fullname', 'firstname', 'cardholder', 'cardholdername', 'نام', 'نامونامخانوادگی', 'نامدارنده'] },
  lastName: { titles: ['family', 'familyname', 'surname', 'نامخانوادگی', 'فامیلی'] },
  mobile: {
    titles: ['mobilenumber', 'phone', 'cell', 'cellphone', 'موبایل', 'شمارهموبایل', 'تلفنهمراه', 'شمارههمراه'],
  },
  nationalCode: { titles: ['nationalid', 'nationalnumber', 'national', 'کدملی', 'شمارهملی', 'شناسهملی'] },
}

/** The fields of each kind of file, and what their columns are called if no mapping says it. */
const importFields: Readonly<Record<ImportKind, Readonly<Record<string, FieldTitles>>>> = {
  cardholders: person,
  cards: {
    pan: { isRequired: true, titles: ['card', 'cardnumber', 'cardno', 'شمارهکارت', 'کارت'] },
    ...person,
    cardExpires: { titles: ['cardexpiry', 'cardexpirydate', 'انقضایکارت', 'تاریخانقضایکارت'] },
    status: { titles: ['cardstatus', 'وضعیت', 'وضعیتکارت'] },
    cardKind: { titles: ['cardtype', 'نوعکارت'] },
    program: { titles: ['programcode', 'cardprogram', 'طرح', 'کدطرح', 'برنامه'] },
    amount: {
      titles: ['balance', 'openingbalance', 'credit', 'value', 'مبلغ', 'موجودی', 'مانده', 'اعتبار', 'مبلغشارژ'],
    },
    loadProgram: { titles: ['طرحاعتبار', 'طرحشارژ'] },
    funder: { titles: ['organisation', 'organization', 'sponsor', 'سازمان', 'شرکت'] },
    expires: { titles: ['expiry', 'expirydate', 'validuntil', 'انقضا', 'تاریخانقضا', 'مهلت', 'انقضایاعتبار'] },
    loadReference: { titles: ['document', 'documentnumber', 'شمارهسند'] },
  },
  merchants: {
    code: {
      isRequired: true,
      titles: ['merchant', 'merchantcode', 'acceptor', 'کدپذیرنده', 'پذیرنده', 'شمارهپذیرنده'],
    },
    name: { isRequired: true, titles: ['merchantname', 'نام', 'نامپذیرنده', 'نامفروشگاه'] },
    category: { titles: ['mcc', 'merchantcategory', 'صنف', 'کدصنف'] },
    groups: { titles: ['group', 'گروه', 'گروهها'] },
    settlementAccount: { titles: ['iban', 'sheba', 'account', 'شبا', 'شمارهشبا', 'شمارهحساب', 'حساب'] },
  },
  terminals: {
    code: { isRequired: true, titles: ['terminal', 'terminalcode', 'کدپایانه', 'پایانه', 'شمارهپایانه'] },
    merchant: { isRequired: true, titles: ['merchantcode', 'acceptor', 'کدپذیرنده', 'پذیرنده', 'شمارهپذیرنده'] },
    channel: { titles: ['نوع', 'نوعپایانه'] },
    confirmation: { titles: ['تأیید', 'تایید'] },
    partial: { titles: ['partialapproval', 'تأییدبخشی', 'تاییدبخشی'] },
  },
}

/** Which column is which field, and what stands where a line says nothing. */
export interface Mapping {
  readonly columns: Readonly<Record<string, string>>
  readonly constants: Readonly<Record<string, string>>
}

/** Reads `{"columns": {"pan": "Card No."}, "constants": {"program": "credit"}}`. Throws OperatorError. */
export function readMapping(path: string, kind: ImportKind): Mapping {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new OperatorError(`${path}: ${(error as Error).message}`)
  }
  const { columns = {}, constants = {}, ...rest } = (json ?? {}) as Record<string, unknown>
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw new OperatorError(`${path}: /${unknown} is not a field here`)
  return {
    columns: textsOf(columns, `${path}: /columns`, kind),
    constants: textsOf(constants, `${path}: /constants`, kind),
  }
}

function textsOf(value: unknown, at: string, kind: ImportKind): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new OperatorError(`${at}: no object`)
  const texts: Record<string, string> = {}
  for (const [field, text] of Object.entries(value)) {
    if (importFields[kind][field] === undefined) throw new OperatorError(`${at}/${field}: ${fieldsOf(kind)}`)
    if (typeof text !== 'string') throw new OperatorError(`${at}/${field} must be a text`)
    texts[field] = text
  }
  return texts
}

const fieldsOf = (kind: ImportKind): string => `a field of ${kind} is ${Object.keys(importFields[kind]).join(', ')}`

export interface Columns {
  /** Index of the column of each field that is there. */
  readonly at: ReadonlyMap<string, number>
  readonly width: number
  /** Titles that no field is read from. */
  readonly ignored: readonly string[]
}

/** Finds the columns by the titles of the first record. Throws OperatorError if one is missing or there twice. */
export function findImportColumns(titles: readonly string[], kind: ImportKind, mapping: Mapping): Columns {
  const fields = importFields[kind]
  const plain = titles.map(title => plainTitle(cleanCell(title, noCleanings())))
  const at = new Map<string, number>()
  for (const [field, title] of Object.entries(mapping.columns)) {
    const index = plain.indexOf(plainTitle(title))
    if (index < 0) throw new OperatorError(`the file has no column "${title}" for ${field}: ${titles.join(', ')}`)
    at.set(field, index)
  }
  const mapped = new Set(at.values())
  for (const [field, { titles: known, isRequired }] of Object.entries(fields)) {
    if (at.has(field)) continue
    const names = [field.toLowerCase(), ...known]
    const found = plain.flatMap((title, index) => (names.includes(title) && !mapped.has(index) ? [index] : []))
    const [index] = found
    if (found.length > 1) {
      const list = found.map(one => `"${titles[one]}"`).join(' and ')
      throw new OperatorError(`${list} may both be ${field}: name one in a mapping`)
    }
    if (index !== undefined) at.set(field, index)
    else if (isRequired && mapping.constants[field] === undefined) {
      throw new OperatorError(`no column is ${field}: name it in a mapping. The file has ${titles.join(', ')}`)
    }
  }
  const used = new Set(at.values())
  return { at, width: titles.length, ignored: titles.filter((title, index) => title !== '' && !used.has(index)) }
}
