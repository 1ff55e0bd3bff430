import { ConfigError } from '../config/errors.ts'
import { main } from '../main.ts'
import { runAudit } from './audit.ts'
import { runCards } from './cards.ts'
import { runDecode } from './decode.ts'
import { runDialect } from './dialect.ts'
import { runEncode } from './encode.ts'
import { runImportCommand } from './import.ts'
import { runKeys } from './keys.ts'
import { runLoadCommand } from './load.ts'
import { runMigrate } from './migrate.ts'
import { runTerminal } from './terminal.ts'

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

const commands: Readonly<Record<string, (args: string[]) => Promise<number | undefined>>> = {
  start: async () => {
    await main()
    return undefined
  },
  migrate: runMigrate,
  audit: runAudit,
  keys: runKeys,
  cards: runCards,
  import: runImportCommand,
  terminal: runTerminal,
  load: runLoadCommand,
  decode: args => runDecode(args),
  encode: args => runEncode(args),
  dialect: args => runDialect(args),
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
