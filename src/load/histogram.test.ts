import fc from 'fast-check'
import { build } from 'hdr-histogram-js'
import { expect, test } from 'vitest'
import { Histogram, longestMicros } from './histogram.ts'

const percentiles = [1, 50, 90, 99, 99.9, 99.99, 100]

test('it tells what HdrHistogram with three significant digits tells', () => {
  const micros = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: longestMicros }))
  fc.assert(
    fc.property(fc.array(micros, { minLength: 1, maxLength: 200 }), values => {
      const ours = new Histogram()
      const theirs = build({ highestTrackableValue: longestMicros, numberOfSignificantValueDigits: 3 })
      for (const value of values) {
        ours.record(value)
        theirs.recordValue(value)
      }
      // Theirs answers with the end of the range that a value is counted in, also beyond the highest value.
      const max = Math.max(...values)
      const expected = percentiles.map(at => Math.min(theirs.getValueAtPercentile(at), max))
      expect(percentiles.map(at => ours.percentile(at))).toEqual(expected)
      expect(ours.count).toBe(values.length)
    }),
  )
})

test('out of range counts as the nearest that is in it; empty is zero', () => {
  const histogram = new Histogram()
  expect(histogram.summary()).toMatchObject({ count: 0, meanMs: 0, p50Ms: 0, maxMs: 0 })
  histogram.record(-5)
  histogram.record(2 * longestMicros)
  expect(histogram.summary()).toMatchObject({ count: 2, p50Ms: 0.001, maxMs: 120_000 })
  histogram.reset()
  expect(histogram.summary()).toMatchObject({ count: 0, p99Ms: 0, maxMs: 0 })
})
