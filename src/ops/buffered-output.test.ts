import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, describe, expect, test } from 'vitest'
import { type OutputFile, PieceWriter, waitingPiecesMax } from './buffered-output.ts'

const output = JSON.stringify(new URL('./buffered-output.ts', import.meta.url).href)
const argumentsOf = (program: string): string[] => [
  '--input-type=module',
  '-e',
  `import { bufferedOutput } from ${output}\nconst output = bufferedOutput()\n${program}`,
]

test('all lines are written in their order, also those of the last moment', () => {
  const program = `for (let line = 0; line < 20_000; line++) output.write(line + ' ' + 'x'.repeat(20) + '\\n')
process.exit(3)`
  const { stdout, status } = spawnSync(process.execPath, argumentsOf(program), { encoding: 'utf8' })
  expect(status).toBe(3)
  const lines = stdout.split('\n')
  expect(lines.pop()).toBe('')
  expect(lines.map(line => line.split(' ')[0])).toEqual(Array.from({ length: 20_000 }, (_, line) => String(line)))
})

test('a line is written although no other follows', async () => {
  const child = spawn(process.execPath, argumentsOf("output.write('alone\\n')\nprocess.stdin.resume()"))
  const [text] = await once(child.stdout, 'data')
  expect(String(text)).toBe('alone\n')
  child.stdin.end()
  const [status] = await once(child, 'exit')
  expect(status).toBe(0)
})

// Other systems have no /proc to open a pipe anew in.
describe.runIf(process.platform === 'linux').concurrent('a pipe', () => {
  const directory = mkdtempSync(join(tmpdir(), 'charsu-pipe-'))
  afterAll(() => rmSync(directory, { recursive: true }))

  /** A program that writes 5,000 lines of a kilobyte to a pipe, which waits as those of a shell do. */
  const writing = (name: string, program: string) => {
    const pipe = join(directory, name)
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const writer = openSync(pipe, constants.O_WRONLY)
    const lines = `for (let line = 0; line < 5_000; line++) output.write(line + ' ' + 'x'.repeat(1_000) + '\\n')
process.stderr.write('written')
`
    const child = spawn(process.execPath, argumentsOf(lines + program), {
      stdio: ['ignore', writer, 'pipe'],
      timeout: 20_000,
      killSignal: 'SIGKILL',
    })
    closeSync(writer)
    return {
      reader,
      written: once(child.stderr as Readable, 'data'),
      ended: once(child, 'exit') as Promise<[number | null, string | null]>,
    }
  }

  const ends = {
    'when it is told to': 'setTimeout(() => output.drain().then(() => process.exit(3)), 200)',
    'at once': 'process.exit(3)',
    'by an error': "process.on('exit', () => { process.exitCode = 3 })\nthrow new Error('a defect')",
  }

  test.each(Object.entries(ends))('nobody reads it: the process ends all the same, %s', async (name, program) => {
    const { reader, ended } = writing(`stalled ${name}`, program)
    expect(await ended).toEqual([3, null])
    closeSync(reader)
  })

  test.each(Object.entries(ends))('its reader is late: nothing is lost, %s', async (name, program) => {
    const { reader, written, ended } = writing(`late ${name}`, program)
    await written
    const cat = spawn('cat', { stdio: [reader, 'pipe', 'ignore'] })
    closeSync(reader)
    const lines = (await text(cat.stdout as Readable)).split('\n')
    expect(lines.pop()).toBe('')
    expect(lines.map(line => line.split(' ')[0])).toEqual(Array.from({ length: 5_000 }, (_, line) => String(line)))
    expect(await ended).toEqual([3, null])
  })
})

/** A file whose calls end when and how the test says; time passes only there, too. */
class FakeFile implements OutputFile {
  text = ''
  readonly pauses: number[] = []
  readonly #timers: { ms: number; then: () => void }[] = []
  #answer: ((error: string | null, taken: number) => void) | undefined
  /** What each of the next synchronous calls does; behind them everything is taken. */
  syncAnswers: (number | string)[] = []

  write(bytes: Buffer, from: number, end: number, then: Parameters<OutputFile['write']>[3]): void {
    if (this.#answer !== undefined) throw new Error('two writes at once')
    this.#answer = (error, taken) => {
      const part = bytes.subarray(from, error === null ? Math.min(from + taken, end) : from)
      this.text += part.toString()
      if (error === null) then(null, part.length)
      else then(errorOf(error), 0)
    }
  }

  writeSync(bytes: Buffer, from: number, end: number): number {
    const answer = this.syncAnswers.shift() ?? Number.POSITIVE_INFINITY
    if (typeof answer === 'string') throw errorOf(answer)
    const part = bytes.subarray(from, Math.min(from + answer, end))
    this.text += part.toString()
    return part.length
  }

  after(ms: number, then: () => void): void {
    this.#timers.push({ ms, then })
    this.pauses.push(ms)
  }

  waitSync(ms: number): void {
    this.pauses.push(ms)
  }

  get isWriting(): boolean {
    return this.#answer !== undefined
  }

  answer(error: string | null, taken = Number.POSITIVE_INFINITY): void {
    const answer = this.#answer
    this.#answer = undefined
    answer?.(error, taken)
  }

  /** The pause that began last ends. */
  endPause(): void {
    this.#timers.pop()?.then()
  }

  takeEverything(): void {
    while (this.isWriting) this.answer(null)
  }
}

const errorOf = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })
const open = (): { file: FakeFile; writer: PieceWriter } => {
  const file = new FakeFile()
  return { file, writer: new PieceWriter(file, lines => `left out: ${lines}\n`) }
}
/** Room is kept for three bytes of each character. */
const long = `${'x'.repeat(14_999)}\n`
const longsInPiece = 2

describe('a reader who is slow', () => {
  test('is asked again soon, then less often, and soon again when something was read', () => {
    const { file, writer } = open()
    writer.write('one line\n')
    writer.flush()
    for (let pause = 0; pause < 9; pause++) {
      file.answer('EAGAIN')
      file.endPause()
    }
    file.answer(null, 3)
    expect(file.pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 100, 100, 1])
    file.endPause()
    file.takeEverything()
    expect(file.text).toBe('one line\n')
  })

  test('costs no more than the pieces that may wait: the lines behind them are left out, counted and told', () => {
    const { file, writer } = open()
    const fits = (1 + waitingPiecesMax) * longsInPiece
    const lines = fits + 3 * longsInPiece
    for (let line = 0; line < lines; line++) writer.write(long)
    writer.write(long)
    expect(writer.linesLeftOut).toBe(3 * longsInPiece)
    file.takeEverything()
    writer.write('after\n')
    writer.flush()
    file.takeEverything()
    expect(file.text.length).toBe(fits * long.length + 'left out: 6\n'.length + long.length + 'after\n'.length)
    expect(file.text.slice(fits * long.length)).toBe(`left out: 6\n${long}after\n`)
    writer.write('once\n')
    writer.flush()
    file.takeEverything()
    expect(file.text.endsWith('after\nonce\n')).toBe(true)
  })

  test('does not make many small pieces wait', () => {
    const { file, writer } = open()
    for (let line = 0; line < 2 * waitingPiecesMax; line++) {
      writer.write('short\n')
      writer.flush()
    }
    file.answer(null)
    writer.flush()
    file.answer(null)
    expect([file.isWriting, writer.linesLeftOut]).toEqual([false, 0])
    expect(file.text).toBe('short\n'.repeat(2 * waitingPiecesMax))
  })
})

describe('what cannot be written', () => {
  test.each(['ENOSPC', 'EPIPE'])('is left out and told, and no line is glued to one that was cut: %s', error => {
    const { file, writer } = open()
    writer.write('first\nsecond\nthird\n')
    writer.flush()
    file.answer(null, 'first\nsec'.length)
    file.endPause()
    file.answer(error)
    expect(writer.linesLeftOut).toBe(2)
    writer.write('fourth\n')
    writer.flush()
    file.answer(error)
    file.answer(null)
    expect(file.text).toBe('first\nsec\nfourth\n')
    writer.flush()
    file.takeEverything()
    expect(file.text).toBe('first\nsec\nfourth\nleft out: 2\n')
    expect(writer.linesLeftOut).toBe(2)
    writer.flush()
    expect(file.isWriting).toBe(false)
  })

  test('a piece that is left out between two lines cuts none', () => {
    const { file, writer } = open()
    writer.write('first\nsecond\n')
    writer.flush()
    file.answer(null, 'first\n'.length)
    file.endPause()
    file.answer('ENOSPC')
    writer.write('third\n')
    writer.flush()
    file.takeEverything()
    expect(file.text).toBe('first\nleft out: 1\nthird\n')
  })
})

describe('the end', () => {
  test('the rest of a piece whose reader was slow comes first', () => {
    const { file, writer } = open()
    writer.write('first\n')
    writer.flush()
    file.answer(null, 2)
    writer.write('second\n')
    writer.flushSync()
    expect(file.text).toBe('first\nsecond\n')
    file.endPause()
    expect(file.isWriting).toBe(false)
  })

  test('a reader who has stalled is not waited for longer than two seconds', () => {
    const { file, writer } = open()
    for (let line = 0; line < 10; line++) writer.write(long)
    file.answer('EAGAIN')
    file.pauses.length = 0
    file.syncAnswers = [7, ...Array.from({ length: 1_000 }, () => 'EAGAIN')]
    writer.flushSync()
    const waitedMs = file.pauses.reduce((sum, ms) => sum + ms, 0)
    expect(waitedMs).toBeGreaterThanOrEqual(2_000)
    expect(waitedMs).toBeLessThanOrEqual(2_100)
    expect(file.text).toBe('x'.repeat(7))
    expect(writer.linesLeftOut).toBe(10)
  })

  test('a line that a full disk has cut is not glued to the next', () => {
    const { file, writer } = open()
    writer.write('first\n')
    writer.flush()
    file.answer('EAGAIN')
    writer.write('second\n')
    file.syncAnswers = [3, 'ENOSPC']
    writer.flushSync()
    expect(file.text).toBe('fir\nsecond\n')
  })

  test('drained is when every line is written, also those that came meanwhile', async () => {
    const { file, writer } = open()
    let isDrained = false
    writer.write('first\n')
    const drained = writer.drain().then(() => {
      isDrained = true
    })
    writer.write('second\n')
    file.answer(null)
    await Promise.resolve()
    expect([file.text, isDrained]).toEqual(['first\n', false])
    file.answer(null)
    await drained
    expect(file.text).toBe('first\nsecond\n')
  })

  test('draining ends in time where nobody reads, and at once where nothing is to be written', async () => {
    const { file, writer } = open()
    await writer.drain()
    writer.write('first\n')
    const drained = writer.drain()
    expect([file.isWriting, file.pauses]).toEqual([true, [2_000, 2_000]])
    file.endPause()
    await drained
    expect(file.text).toBe('')
  })
})
