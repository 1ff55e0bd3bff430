import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultFraming, encodeFrame, FrameReader, type Framing, frameLengthKinds, replyTpdu } from './framing.ts'

const framing = (changes: Partial<Framing>): Framing => ({ ...defaultFraming, ...changes })
const body = (length: number) => Buffer.alloc(length, 'x')

describe('a frame on the wire', () => {
  test.each([
    // kind,     inclusive, body bytes, header
    ['ascii4', false, 115, '30313135'],
    ['bcd2', false, 115, '0115'],
    ['binary2', false, 319, '013f'],
    ['vml', false, 15, '000f0000'],
    ['hex4', false, 319, '30313346'],
    ['binary4', false, 319, '0000013f'],
    ['binary2', true, 319, '0141'],
    ['ascii4', true, 115, '30313139'],
    ['binary4', true, 1, '00000005'],
  ] as const)('%s inclusive %s, %i bytes', (length, inclusive, bytes, header) => {
    const frame = encodeFrame(framing({ length, inclusive }), body(bytes))
    expect(frame.toString('hex')).toBe(header + body(bytes).toString('hex'))
    expect(new FrameReader(framing({ length, inclusive })).push(frame).frames).toEqual([
      { body: body(bytes), tpdu: undefined },
    ])
  })

  test('with a TPDU, whose addresses change over in the answer', () => {
    const tpdu = Buffer.from('6000120034', 'hex')
    const withTpdu = framing({ tpdu: true })
    const frame = encodeFrame(withTpdu, body(1), tpdu)
    expect(frame.toString('hex')).toBe('0006600012003478')
    expect(new FrameReader(withTpdu).push(frame).frames).toEqual([{ body: body(1), tpdu }])
    expect(replyTpdu(tpdu).toString('hex')).toBe('6000340012')
    expect(() => encodeFrame(withTpdu, body(1))).toThrow('frame_too_short')
  })

  test.each([
    // name,                 framing,                                 bytes,        error
    ['not digits', { length: 'ascii4' }, '30313a30', 'bad_length'],
    ['not BCD', { length: 'bcd2' }, '0a00', 'bad_length'],
    ['not hexadecimal', { length: 'hex4' }, '30303047', 'bad_length'],
    ['over the maximum', { frameBytesMax: 100 }, '0065', 'frame_too_long'],
    ['Visa length over its 2048', { length: 'vml', frameBytesMax: 2048 }, 'ffff0020', 'frame_too_long'],
    ['4-byte length over all memory', { length: 'binary4' }, 'ffffffff', 'frame_too_long'],
    ['inclusive of less than itself', { length: 'binary4', inclusive: true }, '00000003', 'frame_too_short'],
    ['shorter than its TPDU', { tpdu: true }, '000460000000', 'frame_too_short'],
  ] as const)('%s is an error, at once and for good', (_name, changes, bytes, code) => {
    const reader = new FrameReader(framing(changes))
    expect(reader.push(Buffer.from(bytes, 'hex')).error?.code).toBe(code)
    expect(reader.push(Buffer.from('000178', 'hex'))).toMatchObject({ frames: [], error: { code } })
  })

  test('a body beyond the maximum, or beyond what the length can say, is not sent', () => {
    expect(() => encodeFrame(framing({ frameBytesMax: 10 }), body(11))).toThrow('frame_too_long')
    expect(() => encodeFrame(framing({ length: 'bcd2', frameBytesMax: 20_000 }), body(10_000))).toThrow(
      'frame_too_long',
    )
  })

  test('frames of length zero are passed over, the frames before an error are given', () => {
    const reader = new FrameReader(framing({ frameBytesMax: 10 }))
    const { frames, error } = reader.push(Buffer.from('0000 000178 0000 000179 0fff'.replaceAll(' ', ''), 'hex'))
    expect(frames.map(frame => frame.body.toString())).toEqual(['x', 'y'])
    expect(error?.code).toBe('frame_too_long')
  })
})

test('any split of the stream gives the same frames', () => {
  const streams = fc.record({
    length: fc.constantFrom(...frameLengthKinds),
    inclusive: fc.boolean(),
    tpdu: fc.boolean(),
    bodies: fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 }),
    cuts: fc.array(fc.nat(3000)),
  })
  fc.assert(
    fc.property(streams, ({ length, inclusive, tpdu, bodies, cuts }) => {
      const shape = framing({ length, inclusive, tpdu })
      const header = tpdu ? Buffer.from('6000010002', 'hex') : undefined
      const stream = Buffer.concat(bodies.map(each => encodeFrame(shape, Buffer.from(each), header)))
      const reader = new FrameReader(shape)
      const read: Buffer[] = []
      const points = [0, ...cuts.filter(cut => cut < stream.length).sort((a, b) => a - b), stream.length]
      for (let i = 1; i < points.length; i++) {
        const { frames, error } = reader.push(stream.subarray(points[i - 1], points[i]))
        expect(error).toBeUndefined()
        for (const frame of frames) {
          expect(frame.tpdu).toEqual(header)
          read.push(frame.body)
        }
      }
      expect(read).toEqual(bodies.map(each => Buffer.from(each)))
      expect(reader.pendingBytes).toBe(0)
    }),
  )
})

test('one byte at a time', () => {
  const stream = Buffer.concat([encodeFrame(defaultFraming, body(5000)), encodeFrame(defaultFraming, body(3))])
  const reader = new FrameReader(defaultFraming)
  const lengths = Array.from(stream, byte => reader.push(Buffer.from([byte])).frames).flatMap(frames =>
    frames.map(frame => frame.body.length),
  )
  expect(lengths).toEqual([5000, 3])
})
