import { readTerms } from '../core/terms-json.ts'
import { ConfigError } from './errors.ts'
import type { Config } from './load.ts'
import type { DemoTenant } from './schema.ts'

/**
 * What the schemas cannot say: how values of different places fit together. Throws a ConfigError that names the
 * place.
 */
export function checkAcross({ http, listeners, demo, databaseUrl, logLevel }: Config): void {
  if (!logLevels.includes(logLevel)) throw new ConfigError(`LOG_LEVEL must be one of ${logLevels.join(', ')}`)
  if (databaseUrl !== null && !/^postgres(?:ql)?:\/\//.test(databaseUrl)) {
    throw new ConfigError('DATABASE_URL must begin with postgresql://')
  }
  const places = [{ name: 'http', ...http }, ...listeners].filter(({ port }) => port !== 0)
  const twice = places.find(({ port }, index) => places.findIndex(other => other.port === port) !== index)
  if (twice !== undefined) throw new ConfigError(`two of the places to listen on have port ${twice.port}`)
  if (demo === null) return
  const open = [{ name: 'http', ...http }, ...listeners].find(({ host }) => !isLoopback(host))
  if (open !== undefined) {
    throw new ConfigError(`${open.name} listens on ${open.host}: with a demo tenant only this machine may be let in`)
  }
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

const isLoopback = (host: string): boolean => /^127\.|^::1$|^localhost$/.test(host)

/** The same within the demo tenant; `path` is that of its file. */
export function checkDemo(path: string, demo: DemoTenant): void {
  const fail = (place: string, sentence: string): never => {
    throw new ConfigError(`${path}: ${place} ${sentence}`)
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: demo.timeZone })
  } catch {
    fail('/timeZone', `is no time zone: ${demo.timeZone}`)
  }
  const terminals = demo.merchants.flatMap(merchant => merchant.terminals)
  const lists = { merchants: demo.merchants, terminals, programs: demo.programs, organisations: demo.organisations }
  for (const [name, list] of Object.entries(lists)) {
    const codes = list.map(({ code }) => code)
    const twice = codes.find((code, index) => codes.indexOf(code) !== index)
    if (twice !== undefined) fail(`/${name}`, `has the code ${twice} twice`)
  }
  demo.programs.forEach(({ terms }, index) => {
    const error = readTerms(terms ?? {}).errors?.[0]
    if (error !== undefined) fail(`/programs/${index}/terms/${error.field}`, error.message)
  })
  demo.loads.forEach(({ program, funder, fromCard = 1, toCard }, index) => {
    const at = `/loads/${index}`
    if (!demo.programs.some(({ code }) => code === program)) fail(`${at}/program`, `is no program: ${program}`)
    if (!demo.organisations.some(({ code }) => code === funder)) fail(`${at}/funder`, `is no organisation: ${funder}`)
    if (toCard > demo.cards.count) fail(`${at}/toCard`, 'is more than there are cards')
    if (fromCard > toCard) fail(`${at}/fromCard`, 'is beyond toCard')
  })
}
