import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { audit } from './support/checker.ts'
import { contradictions } from './support/commands.ts'
import { createDatabase, type TestDatabase } from './support/database.ts'
import { type EdgeAnswer, EdgeClient, runTerminal, runTill } from './support/edge-client.ts'
import { Journal } from './support/journal.ts'
import { randomOf } from './support/mixed-load.ts'
import { type SwitchProcess, startSwitchProcess } from './support/switch-process.ts'

/** `npm run test:kill` asks for 20. */
const rounds = Number(process.env.KILL_ROUNDS ?? 3)
const tills = 6
const terminals = 6
const cards = 50
const patience = { interval: 50, timeout: 15_000 }

let database: TestDatabase
let folder: string
let journal: Journal
let running: SwitchProcess[] = []
let loads: Load[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'charsu-kill-'))
  database = await createDatabase()
  journal = await Journal.create(join(folder, 'journal'))
})
afterEach(async () => {
  await Promise.all(running.map(one => one.kill()))
  running = []
  // After a failure they go on.
  for (const load of loads) load.stop()
  await Promise.allSettled(loads.map(({ done }) => done))
  loads = []
  await journal.close()
  await database.drop()
  await rm(folder, { recursive: true, force: true })
})

async function start(): Promise<SwitchProcess> {
  const one = await startSwitchProcess({ databaseUrl: database.url, dataDir: folder })
  running.push(one)
  return one
}

async function newClient(): Promise<EdgeClient> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const hash = createHash('sha256').update('demo-pos-key').digest()
  const { rows } = await client.query<{ id: number }>('SELECT id FROM api_keys WHERE hash = $1', [hash])
  await client.end()
  return new EdgeClient(journal, rows[0]?.id as number)
}

interface Load {
  readonly answers: { answer: EdgeAnswer; at: number }[]
  stop(): void
  readonly done: Promise<unknown>
}

/** Tills and terminals at one switch. */
function startLoad(client: EdgeClient, seed: number): Load {
  const answers: Load['answers'] = []
  let isOver = false
  const options = (worker: number) => ({
    ...{ client, cards, random: randomOf(seed * 100 + worker), isOver: () => isOver },
    onAnswer: (answer: EdgeAnswer) => answers.push({ answer, at: performance.now() }),
  })
  const done = Promise.all([
    ...Array.from({ length: tills }, (_, worker) => runTill(options(worker))),
    ...Array.from({ length: terminals }, (_, worker) => runTerminal(options(tills + worker))),
  ])
  const stop = (): void => {
    isOver = true
  }
  loads.push({ answers, done, stop })
  return { answers, done, stop }
}

const unknownOf = () => {
  const known = new Set(journal.entries.filter(({ outcome }) => outcome !== 'info').map(({ key }) => key))
  return journal.entries.filter(({ key }) => !known.has(key))
}

test(`kill -9 of the switch under a mixed load, ${rounds} times`, { timeout: rounds * 30_000 }, async () => {
  const random = randomOf(9)
  let one = await start()
  const client = await newClient()
  let unanswered = 0
  for (let round = 0; round < rounds; round++) {
    await client.connect(one)
    const load = startLoad(client, round)
    // At a random moment: after so many answers, and then somewhere within a batch.
    const answers = 20 + random() * 400
    for (let wait = 0; wait < 3_000 && load.answers.length < answers; wait++) await sleep(5)
    await sleep(random() * 20)
    await one.kill()
    load.stop()
    await load.done
    expect(load.answers.filter(({ answer }) => answer.outcome === 'ok').length).toBeGreaterThan(10)
    unanswered += unknownOf().length
    expect(await audit(database.url, journal.entries)).toEqual([])

    one = await start()
    await client.connect(one)
    const resent = await client.resend(unknownOf())
    expect(resent.filter(({ outcome }) => outcome === 'info')).toEqual([])
    expect(unknownOf()).toEqual([])
    const acknowledged = journal.entries.filter(({ outcome }) => outcome === 'ok')
    await client.resend(acknowledged.slice(-200))
    expect(contradictions(journal.entries)).toEqual([])
    expect(await audit(database.url, journal.entries)).toEqual([])
  }
  // Otherwise nothing was shown.
  expect(unanswered).toBeGreaterThan(0)
  await client.close()
  expect(await one.stop()).toBe(0)
})

test('F15: a switch that is frozen for 4 s beside a second one, and thawed, does no harm', async () => {
  const [frozen, second] = [await start(), await start()]
  const [first, other] = [await newClient(), await newClient()]
  await first.connect(frozen)
  await other.connect(second)
  const [load, otherLoad] = [startLoad(first, 71), startLoad(other, 72)]
  await sleep(700)
  frozen.signal('SIGSTOP')
  const frozenAt = performance.now()
  await sleep(4_000)
  // What the frozen one had locked is free after 2 s.
  const late = () => otherLoad.answers.filter(({ answer, at }) => answer.outcome === 'ok' && at > frozenAt + 2_500)
  await expect.poll(() => late().length, patience).toBeGreaterThan(20)
  frozen.signal('SIGCONT')
  const thawedAt = performance.now()
  const isBack = () => load.answers.some(({ answer, at }) => answer.outcome === 'ok' && at > thawedAt)
  await expect.poll(isBack, patience).toBe(true)
  for (const one of [load, otherLoad]) one.stop()
  await Promise.all([load.done, otherLoad.done])
  // The other node answers for what the frozen one left open.
  await other.resend(unknownOf())
  expect(unknownOf()).toEqual([])
  await other.resend(journal.entries.filter(({ outcome }) => outcome === 'ok').slice(-200))
  expect(contradictions(journal.entries)).toEqual([])
  expect(await audit(database.url, journal.entries)).toEqual([])
  await Promise.all([first.close(), other.close()])
})
