import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { cardNumber } from '../src/core/card-numbers.ts'
import { importing, national, pan, path, rejectsOf, reportOf, rowsOf, useImports } from './support/import-stage.ts'

useImports()

test('cleaning: letters, digits, blanks, signs that cannot be seen, separators, lost zeros, quotes', async () => {
  const persian = (text: string): string => text.replace(/\d/g, digit => String.fromCharCode(0x6f0 + Number(digit)))
  const shortened = national(12_345_678).replace(/^0+/, '')
  const grouped = pan(201).replace(/(\d{4})(?=\d)/g, '$1-')
  writeFileSync(
    path,
    [
      '\ufeffشماره کارت;کد پرسنلی;نام;نام خانوادگی;کد ملی;موبایل;مبلغ (ریال);تاریخ انقضا;وضعيت',
      `${grouped};C1; علي ;  كريمي   زاده ;${shortened};${persian('09123456789')};"1,250,000";1499/12/29;فعال`,
      `="${pan(202)}";C2;"a ""quoted"" name";;;0098 912 345 6780;${persian('2٬500')};2090-01-31;مسدود`,
      `${persian(pan(203))};C\u200e3;"two`,
      `lines";;;;0;;غیرفعال`,
      '',
    ].join('\r\n'),
  )
  expect(await reportOf('cards')).toMatchObject({
    ...{ status: 0, cards: 3, loads: 2, loaded: { welfare: '1252500' } },
    cleaned: { letters: 2, digits: 3, spaces: 3, invisible: 1, separators: 4, zeros: 1 },
  })
  const rows = await rowsOf(
    `SELECT h.reference, h.name, h.mobile, h.national_last, c.last4, c.status, l.expires_at, l.credits_posted
     FROM cardholder_profiles h JOIN cards c USING (tenant, holder) LEFT JOIN lots l USING (tenant, holder)
     WHERE h.reference ~ '^C[123]$' ORDER BY h.reference`,
  )
  expect(rows).toMatchObject([
    {
      ...{
        reference: 'C1',
        name: 'علی کریمی زاده',
        mobile: '+989123456789',
        national_last: national(12_345_678).slice(-4),
      },
      ...{ last4: pan(201).slice(-4), status: 0, credits_posted: '1250000' },
    },
    { reference: 'C2', name: 'a "quoted" name', mobile: '+989123456780', status: 1, credits_posted: '2500' },
    { reference: 'C3', name: 'two lines', status: 2, credits_posted: null },
  ])
  expect(rows[1]?.expires_at.toISOString()).toBe('2090-01-31T20:30:00.000Z')
})

test('UTF-16 with its mark is read; bytes that are not UTF-8 are not', async () => {
  writeFileSync(path, Buffer.from(`\ufeffcard\treference\n${pan(250)}\tW1\n`, 'utf16le'))
  expect(await reportOf('cards')).toMatchObject({ status: 0, cards: 1 })
  writeFileSync(path, Buffer.from([...Buffer.from('card,name\n'), 0xc7, 0xe1, 0x0a]))
  const { status, err } = await importing('cards')
  expect({ status, err }).toMatchObject({ status: 2, err: expect.stringMatching(/save it as "CSV UTF-8"/) })
})

test('lines that are no good are left out, each with its field and its reason, and show no card number', async () => {
  const wrong = pan(301).slice(0, -1) + ((Number(pan(301).slice(-1)) + 1) % 10)
  const rows = [
    ['', 'R1', '', '', '', '', ''],
    [wrong, 'R2', '', '', '', '', ''],
    ['9.36401E+15', 'R3', '', '', '', '', ''],
    ['not a card', 'R4', '', '', '', '', ''],
    [cardNumber('555555', 1), 'R5', '', '', 'welfare', '', ''],
    [pan(306), pan(306), '', '', '', '', ''],
    [pan(307), 'R7', '12345', '', '', '', ''],
    [pan(308), 'R8', '', '1234567890', '', '', ''],
    [pan(309), 'R9', '', '', 'nothing', '', ''],
    [pan(310), 'R10', '', '', '', '1.5', ''],
    [pan(311), 'R11', '', '', '', '-5', ''],
    [pan(312), 'R12', '', '', '', '5', '2026-02-30'],
    [pan(313), 'R13', '', '', '', '5', '2001-01-01'],
    [cardNumber('555555', 2), 'R14', '', '', '', '5', ''],
    [pan(315), 'R15', '', '', 'credit', '5', ''],
    [pan(316), 'R16', '', '', '', '5', '', '', 'too many'],
    [pan(317), '"R17', '', '', '', '', ''],
    [pan(318), 'R18', '', '', '', '', '', ''],
    [pan(319), 'R19', '', '', '', '', '', `Ali ${pan(319)}`],
  ]
  writeFileSync(
    path,
    ['pan,reference,mobile,national,program,amount,expires,name', ...rows.map(row => row.join(','))].join('\n'),
  )
  const report = await reportOf('cards')
  expect(report).toMatchObject({ status: 1, cards: 1, cardholders: 1, loads: 0, rejected: 18 })
  expect(rejectsOf(path)).toEqual([
    ['2', 'pan', 'missing', ''],
    ['3', 'pan', 'check_digit_wrong', `936401…${wrong.slice(-4)}`],
    ['4', 'pan', 'number_damaged', '9.36401E+15'],
    ['5', 'pan', 'card_number_invalid', 'not a card'],
    ['6', 'pan', 'range_wrong', `555555…${cardNumber('555555', 1).slice(-4)}`],
    ['7', 'reference', 'reference_invalid', `936401…${pan(306).slice(-4)}`],
    ['8', 'mobile', 'mobile_invalid', '12345'],
    ['9', 'nationalCode', 'national_invalid', '…7890'],
    ['10', 'program', 'program_unknown', 'nothing'],
    ['11', 'amount', 'amount_invalid', '1.5'],
    ['12', 'amount', 'amount_invalid', "'-5"],
    ['13', 'expires', 'date_invalid', '2026-02-30'],
    ['14', 'expires', 'date_past', '2001-01-01'],
    ['15', 'program', 'program_missing', ''],
    ['16', 'funder', 'funder_missing', ''],
    ['17', 'line', 'columns_too_many', ''],
    ['18', 'line', 'line_broken', ''],
    ['20', 'name', 'card_number_within', `Ali 936401…${pan(319).slice(-4)}`],
  ])
  expect(readFileSync(`${path}.rejects.csv`, 'utf8')).not.toMatch(/[0-9]{12}/)
})

describe('mapping', () => {
  test('names columns and constants', async () => {
    writeFileSync(path, `Kartennummer|Wer|Extra\n${pan(700)}|M1|x\n`)
    const mapping = `${path}.json`
    writeFileSync(
      mapping,
      JSON.stringify({
        columns: { pan: 'kartennummer', reference: 'Wer' },
        constants: { amount: '40', status: 'inactive' },
      }),
    )
    const { status, err } = await importing('cards', '--mapping', mapping, '--program', 'welfare')
    expect({ status, err }).toMatchObject({ status: 0, err: expect.stringMatching(/^not used: Extra/) })
    const rows = await rowsOf(
      `SELECT c.status, l.credits_posted FROM cards c JOIN cardholder_profiles h USING (tenant, holder)
       JOIN lots l USING (tenant, holder) WHERE h.reference = 'M1'`,
    )
    expect(rows).toEqual([{ status: 2, credits_posted: '40' }])
  })

  test.each([
    ['a column that is missing', 'reference\n1\n', null, /no column is pan/],
    ['a column that is there twice', 'pan,card\n1,2\n', null, /"pan" and "card" may both be pan/],
    ['a field that there is not', 'pan\n1\n', { columns: { pin: 'x' } }, /\/columns\/pin: a field of cards is/],
    ['a column that the file has not', 'pan\n1\n', { columns: { name: 'x' } }, /the file has no column "x" for name/],
    ['a key that there is not', 'pan\n1\n', { column: {} }, /\/column is not a field here/],
    ['an empty file', '', null, /the file is empty/],
  ])('%s', async (_name, text, mapping, message) => {
    writeFileSync(path, text)
    if (mapping !== null) writeFileSync(`${path}.json`, JSON.stringify(mapping))
    const { status, err } = await importing('cards', ...(mapping === null ? [] : ['--mapping', `${path}.json`]))
    expect({ status, err }).toEqual({ status: 2, err: expect.stringMatching(message) })
  })
})
