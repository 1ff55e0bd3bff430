import { expect, test } from 'vitest'
import { parseLoad } from './load-options.ts'

const parse = (text: string) => parseLoad(text.split(' '))!

test.each([
  // typed, what comes of it
  ['--target 127.0.0.1:8583 --rate 250', { protocol: 'iso', host: '127.0.0.1', port: 8583, connections: 16 }],
  ['--target localhost:8583 --in-flight 4', { connections: 4, pace: { kind: 'closed', inFlight: 4 } }],
  ['--target http://[::1]:8080 --protocol http --in-flight 32', { host: '::1', port: 8080, connections: 32 }],
  [
    '--target 127.0.0.1:1 --rate 9 --cards 123456:10-19',
    { cards: { kind: 'range', bin: '123456', first: 10, count: 10 } },
  ],
  [
    '--target 127.0.0.1:1 --rate 9 --terminals T1@M1,T2@M2',
    {
      tills: [
        { terminal: 'T1', merchant: 'M1' },
        { terminal: 'T2', merchant: 'M2' },
      ],
    },
  ],
  ['--target pay.example:443 --rate 9 --tls --i-may-load-this-host', { host: 'pay.example', tls: { ca: null } }],
  [
    '--target 127.0.0.1:1 --rate 9 --mix everyday',
    { mix: { refused: 0.03, reversedHolds: 0.01, reversedSales: 0.02 } },
  ],
] as const)('%s', (text, expected) => {
  expect(parse(text).spec).toMatchObject(expected)
})

test.each([
  ['--rate 9', '--target must be HOST:PORT'],
  ['--target pay.example:8583 --rate 9', 'pay.example is not this machine: say --i-may-load-this-host'],
  ['--target 127.0.0.1.evil.example:1 --rate 9', 'is not this machine'],
  ['--target 10.0.0.1:8583 --rate 9', '10.0.0.1 is not this machine'],
  ['--target 127.0.0.1:8583', 'say either --rate or --in-flight'],
  ['--target 127.0.0.1:8583 --rate 9 --in-flight 9', 'say either --rate or --in-flight'],
  ['--target 127.0.0.1:8583 --rate 100001', '--rate must be from 1 to 100000'],
  ['--target 127.0.0.1:8583 --rate 9 --duration 3601', '--duration must be from 1 to 3600'],
  ['--target 127.0.0.1:8583 --in-flight 600 --connections 2', '2 connections have at most 512 in flight'],
  ['--target 127.0.0.1:8583 --rate 9 --mix all', '--mix must be one of authorize-confirm'],
  ['--target 127.0.0.1:8583 --rate 9 --cards 1-9', '--cards must be BIN:FIRST-LAST'],
  ['--target 127.0.0.1:8583 --rate 9 --terminals T1', '"T1" is not TERMINAL@MERCHANT'],
  ['--target 127.0.0.1:8583 --rate 9 --currency IRR', '--currency must be CODE/NUMBER'],
] as const)('%s: refused', (text, sentence) => {
  expect(() => parse(text)).toThrow(sentence)
})
