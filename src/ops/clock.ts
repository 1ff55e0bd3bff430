/**
 * Microseconds since 1970 by the machine's clock, at the resolution of its monotonic one. Nothing that is stored comes
 * from it: that is the database's to say.
 */
export const nowMicros = (): number => Math.round((performance.timeOrigin + performance.now()) * 1000)

/** Monotonic seconds: for durations only. */
export const elapsedSeconds = (): number => performance.now() / 1000

/** `ms` spread by half in both directions, so that those who wait for the same thing do not come back together. */
export const jittered = (ms: number): number => ms * (0.5 + Math.random())

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
