import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Milliseconds for appending 8 kB and making it durable, the least that any commit of its own can take. */
export type FsyncTimes = { readonly medianMs: number; readonly p99Ms: number; readonly samples: number }

const blockBytes = 8192
const samplesDefault = 200

/**
 * Measures fdatasync on the disk that holds this folder, with a file that is removed again. Blocks the event loop for
 * as long as it takes, so that nothing else of this process is measured with it. Throws the file system's errors.
 */
export function measureFsync(folder: string, samples = samplesDefault): FsyncTimes {
  const scratch = mkdtempSync(join(folder, 'fsync-'))
  try {
    const file = openSync(join(scratch, 'blocks'), 'a')
    try {
      const block = Buffer.alloc(blockBytes, 1)
      // The first write also pays for the file's own creation.
      timeOne(file, block)
      const times = Array.from({ length: samples }, () => timeOne(file, block)).sort((a, b) => a - b)
      return { medianMs: rank(times, 0.5), p99Ms: rank(times, 0.99), samples }
    } finally {
      closeSync(file)
    }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

function timeOne(file: number, block: Buffer): number {
  const start = performance.now()
  writeSync(file, block)
  fdatasyncSync(file)
  return performance.now() - start
}

/** Nearest rank, of sorted times. */
const rank = (sorted: readonly number[], part: number): number =>
  sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN
