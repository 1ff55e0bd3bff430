import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** CPU seconds of a process, its children and those that have ended; null without /proc. */
export function cpuSecondsOf(pid: number): number | null {
  const own = statOf(pid)
  if (own === null) return null
  let ticks = own.ticks + own.ticksOfDead
  for (const one of childrenOf(pid)) {
    const child = statOf(one)
    if (child !== null) ticks += child.ticks + child.ticksOfDead
  }
  return ticks / ticksPerSecond()
}

/** CPU seconds of all children of this process that have ended; null without /proc. */
export function cpuSecondsOfEndedChildren(): number | null {
  const own = statOf(process.pid)
  return own === null ? null : own.ticksOfDead / ticksPerSecond()
}

/** CPU seconds of the whole machine, what a hypervisor took away included; null without /proc. */
export function cpuSecondsOfMachine(): number | null {
  const line = textOf('/proc/stat')?.split('\n')[0]
  if (line === undefined) return null
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(text => Number.parseInt(text, 10))
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond()
}

/** Memory that a process has in RAM, in MB: now, and the most it ever had; null without /proc. */
export function memoryOf(pid: number): { readonly nowMb: number; readonly peakMb: number } | null {
  const status = textOf(`/proc/${pid}/status`)
  const kilobytes = (name: string): number => Number.parseInt(status?.match(`${name}:\\s+(\\d+) kB`)?.[1] ?? '', 10)
  return status === null ? null : { nowMb: kilobytes('VmRSS') / 1024, peakMb: kilobytes('VmHWM') / 1024 }
}

/**
 * Memory of a process and its children in MB, what they share counted once (proportional set size); null where the
 * system does not tell.
 */
export function familyMemoryMb(pid: number): number | null {
  const pids = [pid, ...childrenOf(pid)]
  const parts = pids.map(one => textOf(`/proc/${one}/smaps_rollup`)?.match(/^Pss:\s+(\d+) kB/m)?.[1])
  if (parts[0] === undefined) return null
  return parts.reduce((sum, part) => sum + Number.parseInt(part ?? '0', 10), 0) / 1024
}

const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => Number.parseInt(name, 10))
    .filter(one => statOf(one)?.parent === pid)

interface Stat {
  readonly parent: number
  readonly ticks: number
  /** Of children that have ended and been waited for. */
  readonly ticksOfDead: number
}

/** proc(5): the name in parentheses may hold anything, so fields are counted from behind it. */
function statOf(pid: number): Stat | null {
  const text = textOf(`/proc/${pid}/stat`)
  if (text === null) return null
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number.parseInt(fields[number - 3] ?? '', 10)
  return { parent: field(4), ticks: field(14) + field(15), ticksOfDead: field(16) + field(17) }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process has ended, or this is not Linux.
    return null
  }
}

let ticksKnown = 0

function ticksPerSecond(): number {
  if (ticksKnown === 0) ticksKnown = Number.parseInt(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }), 10)
  return ticksKnown
}
