import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { cellOf, columnsOf } from './csv-cells.ts'

test('what has parts has a column for each', () => {
  const schema = Type.Object({
    id: Type.String(),
    groups: Type.Array(Type.String()),
    fee: Type.Object({ percent: Type.String(), each: Type.Integer() }),
    lots: Type.Array(Type.Object({ lot: Type.String(), amount: Type.Integer() })),
    before: Type.Unsafe<unknown>({}),
  })
  expect(columnsOf(schema)).toEqual(['id', 'groups', 'fee.percent', 'fee.each', 'lots.lot', 'lots.amount', 'before'])
})

const body = {
  id: '7',
  count: 5,
  isFrozen: false,
  nothing: null,
  groups: ['north', 'mall'],
  none: [],
  fee: { percent: '1.5', each: 0 },
  free: null,
  lots: [
    { lot: '17', amount: -5 },
    { lot: '18', amount: -6 },
  ],
  lot: [{ lot: '17', amount: -5 }],
  before: { status: 'active', note: null, scopes: ['a', 'b'], terms: { limits: [{ per: 'day' }, { per: 'month' }] } },
}

describe('a cell', () => {
  test.each([
    // column, what stands there
    ['id', '7'],
    ['count', 5],
    ['isFrozen', 'false'],
    ['nothing', null],
    ['unknown', null],
    ['groups', 'north mall'],
    ['none', ''],
    ['fee.percent', '1.5'],
    ['fee.each', 0],
    ['free.percent', null],
    ['lots.lot', '17 18'],
    ['lots.amount', '-5 -6'],
    ['lot.amount', -5],
    ['before', 'status: active; scopes: a b; terms.limits.1.per: day; terms.limits.2.per: month'],
  ])('%s', (column, expected) => {
    expect(cellOf(body, column)).toBe(expected)
  })
})
