import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectMessageOrError, fuzzCodec } from './fuzz/codec.ts'
import { readCorpus } from './fuzz/corpus.ts'
import { HeapWatch } from './fuzz/heap.ts'
import { fuzzImports } from './fuzz/imports.ts'
import { fuzzListener } from './fuzz/listener.ts'
import { FakeEngine, startIso, type TestSwitch } from './support/iso-server.ts'

/** `npm run fuzz` in small. */
const seed = 20_261_122
const corpora = readCorpus()

test.each(corpora.map(each => [each.name, each] as const))('the corpus of %s, as it is', (name, corpus) => {
  expect(corpus.messages.length).toBeGreaterThan(0)
  for (const bytes of corpus.messages) expectMessageOrError(name, corpus.dialect, bytes)
})

test('damaged messages against the codec', () => {
  const outcome = fuzzCodec({ corpora, seed, count: 20_000 })
  expect(outcome.messages).toBe(20_000)
  expect(outcome.accepted).toBeGreaterThan(1_000)
  expect(outcome.repacked).toBeGreaterThan(100)
  expect(fuzzCodec({ corpora, seed, count: 500 })).toEqual(fuzzCodec({ corpora, seed, count: 500 }))
})

test('damaged dialect files against the importers', () => {
  fuzzImports(seed, 100)
})

describe('damaged frames against a listener', () => {
  const { dialect, messages } = corpora.find(({ name }) => name === 'iso87a')!
  let iso: TestSwitch
  beforeAll(async () => {
    iso = await startIso(new FakeEngine())
  })
  afterAll(() => iso.server.close(1000))

  const run = (count: number) => ({
    ...{ host: '127.0.0.1', port: iso.port, dialect, messages, seed, count, connections: 4 },
    tell: () => true,
  })

  test('each is answered, or the connection is closed with a reason', async () => {
    const outcome = await fuzzListener(run(3_000))
    expect(outcome.answered).toBeGreaterThan(2_000)
    expect(outcome.closed).toBeGreaterThan(20)
    const reasons = new Set(iso.closed)
    expect([...reasons].toSorted()).toEqual(['bad_frame', 'peer', 'unreadable_message'])
    expect(iso.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('a listener that owes an answer is found out', async () => {
    const silent = await startIso(Object.assign(new FakeEngine(), { submit: () => Promise.reject(new Error('no')) }))
    await expect(fuzzListener({ ...run(500), port: silent.port })).rejects.toThrow('replies are missing')
    await silent.server.close(100)
  })
})

test('a heap that grows is found out', () => {
  const watch = new HeapWatch()
  const kept: Buffer[] = []
  for (let window = 0; window < 6; window++) {
    kept.push(Buffer.alloc(16 * 1024 * 1024))
    watch.sample()
  }
  expect(kept.length).toBe(6)
  expect(() => watch.check('test')).toThrow('test: the heap grew by')
})
