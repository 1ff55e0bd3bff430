import { Histogram as PromHistogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { Histogram } from './histogram.ts'

const buckets = [0.0005, 1, 2.5, 10]
const help = 'For a test'

test('the same text as that of prom-client', async () => {
  const registers = [new Registry()]
  const theirs = new PromHistogram({ name: 'with_label', help, labelNames: ['channel'], buckets, registers })
  const ours = new Histogram({ name: 'with_label', help, label: 'channel', buckets })
  const plain = new PromHistogram({ name: 'without', help, buckets, registers })
  const ourPlain = new Histogram({ name: 'without', help, label: null, buckets })
  const expectSame = async () => expect(`${ours.text()}\n${ourPlain.text()}`).toBe(await registers[0]!.metrics())
  await expectSame()
  for (const value of [0, 0.0005, 0.0006, 1, 2.5, 9.99, 10, 10.01, 1e9]) {
    for (const channel of ['terminal', 'api']) {
      theirs.labels({ channel }).observe(value)
      ours.of(channel).observe(value)
    }
    plain.observe(value)
    ourPlain.of('').observe(value)
    await expectSame()
  }
})
