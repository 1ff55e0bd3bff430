import { destination } from 'pino'

/** What pino takes, and what it calls in `log.flush()`. */
export interface BufferedOutput {
  write(line: string): void
  flush(): void
}

const bufferCharacters = 65_536
const flushEveryMs = 500

/**
 * Standard output, written in large pieces: when there are 64 kB, twice a second, and on exit. The lines are gathered
 * here and not in the destination, which measures all that it has gathered again for each line.
 */
export function bufferedOutput(): BufferedOutput {
  const output = destination({ fd: 1, sync: false })
  let gathered = ''
  const flush = (): void => {
    if (gathered === '') return
    const text = gathered
    gathered = ''
    output.write(text)
  }
  setInterval(flush, flushEveryMs).unref()
  process.on('exit', () => {
    flush()
    output.flushSync()
  })
  return {
    write: line => {
      gathered += line
      if (gathered.length >= bufferCharacters) flush()
    },
    flush,
  }
}
