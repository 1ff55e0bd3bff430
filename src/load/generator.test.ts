import { describe, expect, test } from 'vitest'
import { cardNumber } from '../core/card-numbers.ts'
import { Cards, panDigits } from './cards.ts'
import { HttpReader } from './http-reader.ts'
import { LoadRecorder } from './recorder.ts'

describe('card numbers', () => {
  test.each([0, 1, 8, 99, 999_999])('number %i of a range', index => {
    const bytes = Buffer.alloc(panDigits + 2, '.')
    new Cards({ kind: 'range', bin: '936400', first: 7, count: 1_000_000 }).write(bytes, 1, index)
    expect(bytes.toString()).toBe(`.${cardNumber('936400', index + 7)}.`)
  })

  test('of a list', () => {
    const pans = ['9364000000000019', '9364000000000027']
    const bytes = Buffer.alloc(panDigits)
    const cards = new Cards({ kind: 'list', pans })
    cards.write(bytes, 0, 1)
    expect(bytes.toString()).toBe(pans[1])
    expect(cards.count).toBe(2)
    expect(() => new Cards({ kind: 'list', pans: ['12'] })).toThrow('16 digits')
  })
})

describe('answers of HTTP', () => {
  const answer = (body: string, more = ''): string =>
    `HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`

  test('however they are cut', () => {
    const text = answer('{"id":"a"}')
    for (let cut = 1; cut < text.length; cut++) {
      const reader = new HttpReader()
      expect(reader.push(Buffer.from(text.slice(0, cut)))).toBeNull()
      const read = reader.push(Buffer.from(text.slice(cut)))
      expect({ ...read, body: read?.body.toString() }).toEqual({ status: 201, body: '{"id":"a"}', isLast: false })
    }
  })

  test('the last one of a connection', () => {
    expect(new HttpReader().push(Buffer.from(answer('', 'Connection: close\r\n')))).toMatchObject({ isLast: true })
  })

  test.each([
    ['HTTP/1.0 200 OK\r\n\r\n', 'not HTTP/1.1'],
    ['HTTP/1.1 100 Continue\r\n\r\n', 'not HTTP/1.1'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'without Content-Length'],
    [`${answer('{}')}x`, 'nothing was asked for'],
    ['x'.repeat(2_000_000), 'too long'],
  ])('%.30s… is refused', (text, sentence) => {
    expect(() => new HttpReader().push(Buffer.from(text))).toThrow(sentence)
  })
})

test('a stall is in the latencies of all that were due in it, and its seconds are empty', () => {
  const recorder = new LoadRecorder()
  recorder.start()
  const now = performance.now()
  // A thousand were due, one a millisecond, and all are answered at the end of a stall of two seconds.
  for (let due = 0; due < 1_000; due++) recorder.answered('authorize', now + due, now + 2_000)
  expect(recorder.series.map(({ messages }) => messages)).toEqual([0, 0])
  const { latencies, messages } = recorder.result()
  expect(messages).toBe(1_000)
  expect(latencies.authorize.p50Ms).toBeCloseTo(1_500, -2)
})
