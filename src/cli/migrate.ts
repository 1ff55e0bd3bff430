import { migrate } from '../store/migrate.ts'
import { dumpSchema } from '../store/schema-dump.ts'
import { databaseUrl } from './audit.ts'

const usage = `charsu migrate [--dump]
Brings the schema of the database (DATABASE_URL, else the embedded one of a running switch) up to date.
--dump prints the whole schema instead, as it is committed in migrations/schema.sql.
`

/** Answers the exit status. */
export async function runMigrate(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage)
    return 0
  }
  const unknown = args.find(arg => arg !== '--dump')
  if (unknown !== undefined) {
    process.stderr.write(`charsu migrate: unknown option ${unknown}\n${usage}`)
    return 2
  }
  const url = await databaseUrl()
  if (url === null) {
    process.stderr.write('charsu migrate: no database: set DATABASE_URL, or start the switch with its embedded one\n')
    return 2
  }
  if (args.includes('--dump')) {
    process.stdout.write(await dumpSchema(url))
    return 0
  }
  const applied = await migrate(url)
  process.stdout.write(applied.length === 0 ? 'up to date\n' : `applied ${applied.join(', ')}\n`)
  return 0
}
