import { ConfigError } from '../config/errors.ts'

const usage = `charsu <command>

  start      runs the switch (as npm start does)
  migrate    brings the schema of the database up to date
  audit      checks what must always hold, on a live database
  keys       lists, generates, imports, rotates and retires keys
  import     first loads of cardholders, cards, merchants and terminals from CSV files
  cards      sets a card's PIN data, and its wrong tries back
  terminal   a small card terminal: purchase, confirm, reverse, refund, balance, echo
  load       puts a load on a switch, over ISO 8583 or HTTP, and tells how fast it answered
  decode     an ISO 8583 message in hexadecimal as JSON, or as a table with offsets
  encode     a message as JSON in hexadecimal
  dialect    imports jPOS packagers and moov-io specifications; checks dialect files

charsu <command> --help says more.
`

/** Each loads what it needs, and nothing of the others. */
const commands: Readonly<Record<string, (args: string[]) => Promise<number | undefined>>> = {
  start: async () => {
    const { main } = await import('../main.ts')
    await main()
    return undefined
  },
  migrate: async args => (await import('./migrate.ts')).runMigrate(args),
  audit: async args => (await import('./audit.ts')).runAudit(args),
  keys: async args => (await import('./keys.ts')).runKeys(args),
  cards: async args => (await import('./cards.ts')).runCards(args),
  import: async args => (await import('./import.ts')).runImportCommand(args),
  terminal: async args => (await import('./terminal.ts')).runTerminal(args),
  load: async args => (await import('./load.ts')).runLoadCommand(args),
  decode: async args => (await import('./decode.ts')).runDecode(args),
  encode: async args => (await import('./encode.ts')).runEncode(args),
  dialect: async args => (await import('./dialect.ts')).runDialect(args),
}

const [name = '', ...args] = process.argv.slice(2)
const command = commands[name]
if (command === undefined) {
  const isHelp = name === '' || name === '--help' || name === '-h' || name === 'help'
  process[isHelp ? 'stdout' : 'stderr'].write(isHelp ? usage : `charsu: there is no command "${name}"\n\n${usage}`)
  process.exitCode = isHelp ? 0 : 2
} else {
  try {
    const status = await command(args)
    // `start` goes on until a signal ends it.
    if (status !== undefined) process.exitCode = status
  } catch (error) {
    const isExpected = error instanceof ConfigError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
    process.stderr.write(`charsu ${name}: ${isExpected ? (error as Error).message : (error as Error).stack}\n`)
    process.exitCode = 2
  }
}
