import { parseArgs } from 'node:util'
import { compileDialect } from '../codec/dialect.ts'
import { failure } from './decode.ts'
import { explained, readDialectFile } from './dialect-file.ts'
import { exit, type Io, processIo, UsageError } from './io.ts'

const usage = `Usage: charsu dialect <command> FILE

  import FILE    prints the dialect of a jPOS GenericPackager file (XML) or a moov-io/iso8583 specification (JSON)
                 in Charsu's format (switch-config/dialects/dialect.schema.json), checked; what has to be left out
                 is told on standard error
  check FILE     says whether a dialect file is right, and if not, where not

FILE is a path, or the name of a dialect in switch-config/dialects (iso87a).

Options
  --name NAME    the name of the imported dialect (that of the file)

Ends with 0 if it is right, 1 if it is not, 2 if the command is wrong.
`

const options = { name: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } } as const
const sourceNames = { charsu: 'Charsu', jpos: 'jPOS', moov: 'moov-io/iso8583' } as const

/** `charsu dialect`. Answers the exit status. */
export async function runDialect(args: string[], io: Io = processIo): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    if (values.help) {
      io.out(usage)
      return exit.ok
    }
    const [command, given, ...more] = positionals
    if (command !== 'import' && command !== 'check')
      throw new UsageError('import or check? charsu dialect --help says more')
    if (given === undefined || more.length > 0) throw new UsageError('give one FILE')
    const { path, source, json, warnings } = readDialectFile(given, values.name)
    if (command === 'import' && source === 'charsu') throw new UsageError(`${path} is no jPOS or moov-io file`)
    const { format } = explained(path, () => compileDialect(json))
    for (const warning of warnings) io.err(`charsu dialect: ${warning}\n`)
    if (command === 'import') io.out(`${layOut(json)}\n`)
    else io.out(`${path}: ${sourceNames[source]} dialect ${format.name}, ${format.fields.size} fields, is right\n`)
    return exit.ok
  } catch (error) {
    return failure('dialect', error, io)
  }
}

const lineMax = 118

/** JSON with a member a line, and on one line what fits there: a field, as in the shipped files. */
function layOut(value: unknown, indent = '', before = 0): string {
  const line = onOneLine(value)
  if (typeof value !== 'object' || value === null) return line
  const isSmall = indent.length + before + line.length <= lineMax
  if (isSmall && indent !== '' && !hasObjects(value, 2)) return line
  const inner = `${indent}  `
  const members = Object.entries(value).map(([key, each]) => {
    const name = `${JSON.stringify(key)}: `
    return `${inner}${name}${layOut(each, inner, name.length)}`
  })
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`
}

function onOneLine(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${onOneLine(each)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

/** Whether objects stand within it, `depth` levels down: fields by number are laid out however few. */
const hasObjects = (value: object, depth: number): boolean =>
  Object.values(value).some(
    each => typeof each === 'object' && each !== null && (depth === 1 || hasObjects(each, depth - 1)),
  )
