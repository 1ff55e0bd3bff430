import type { Logger } from 'pino'
import { jittered } from '../ops/clock.ts'

interface Job {
  readonly name: string
  readonly everyMs: number
  /** May throw: it is logged, and the job runs again at its next time. */
  run(): Promise<void>
}

interface Schedule {
  /** Starts no job any more, and waits for those that are running. */
  stop(): Promise<void>
}

/**
 * Runs each job again and again, never beside itself. A job that keeps failing is logged once, until it works again.
 */
export function startJobs(jobs: readonly Job[], log: Logger): Schedule {
  let isStopped = false
  const running = new Set<Promise<void>>()
  const timers = new Map<Job, NodeJS.Timeout>()
  const failing = new Set<Job>()

  const runOnce = async (job: Job): Promise<void> => {
    try {
      await job.run()
      if (failing.delete(job)) log.info({ job: job.name }, 'job works again')
    } catch (error) {
      if (!failing.has(job)) log.warn({ job: job.name, error: (error as Error).message }, 'job failed')
      failing.add(job)
    }
  }
  const plan = (job: Job): void => {
    if (isStopped) return
    const timer = setTimeout(() => {
      const run = runOnce(job).finally(() => {
        running.delete(run)
        plan(job)
      })
      running.add(run)
    }, jittered(job.everyMs))
    timers.set(job, timer)
  }
  for (const job of jobs) plan(job)
  return {
    async stop() {
      isStopped = true
      for (const timer of timers.values()) clearTimeout(timer)
      await Promise.all(running)
    },
  }
}
