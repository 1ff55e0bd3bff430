import { Worker } from 'node:worker_threads'
import type { SheetLine, SheetMessage, SheetTask } from './sheet-worker.ts'

type Sheet =
  | { readonly kind: 'read'; readonly lines: readonly SheetLine[]; readonly ignored: readonly string[] }
  | { readonly kind: 'invalid'; readonly error: { readonly field: string; readonly message: string } }

/** A file that unpacks to more than this, or takes longer, is not one that people have made. */
const memoryMbMax = 1_024
const timeMsMax = 60_000

const tooMuch: Sheet = {
  kind: 'invalid',
  error: { field: 'file', message: 'takes too long to read, or unpacks to too much' },
}

/**
 * Reads a file of loads in a thread of its own, so that payments do not wait for it, with a bound on its memory and
 * time. Throws only what is a defect of ours.
 */
export function readSheetFile(task: SheetTask): Promise<Sheet> {
  const worker = new Worker(new URL('./sheet-worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: memoryMbMax },
  })
  return new Promise<Sheet>((resolve, reject) => {
    const lines: SheetLine[] = []
    const timer = setTimeout(() => resolve(tooMuch), timeMsMax)
    timer.unref()
    worker.on('message', (message: SheetMessage) => {
      if (message.kind === 'lines') lines.push(...message.lines)
      if (message.kind === 'done') resolve({ kind: 'read', lines, ignored: message.ignored })
      if (message.kind === 'invalid') resolve(message)
    })
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve(tooMuch)
      else reject(error)
    })
    worker.on('exit', code => reject(new Error(`reading a file ended with ${code}`)))
  }).finally(() => worker.terminate())
}
