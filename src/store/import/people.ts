import type { CardToken } from '../../core/commands.ts'
import type { Micros } from '../../core/ids.ts'
import { arrayOf, arrayOfText, idOf, type Statement, statement } from '../sql.ts'
import type { ImportConnection } from './connection.ts'

export interface NewHolder {
  /** The business's own number of the person. */
  readonly reference: string | null
  readonly name: string | null
  /** E.164. */
  readonly mobile: string | null
  /** Keyed hash of the national code (64 hexadecimal digits), and its last four digits. */
  readonly national: { readonly hash: string; readonly last: string } | null
}

/** A line of a file of cardholders or cards, cleaned and checked by itself. */
export interface PersonLine {
  readonly line: number
  readonly holder: NewHolder
  /** Null in a file of cardholders. */
  readonly card: NewCard | null
  readonly load: NewLoad | null
}

export interface NewCard {
  readonly token: CardToken
  readonly last4: string
  /** Hexadecimal digits of the sealed card number. */
  readonly sealed: string
  readonly expiresAt: Micros | null
  /** Codes of `cards.status` and `cards.kind`. */
  readonly status: number
  readonly kind: number
  /** Whose range the number is from. */
  readonly program: number | null
}

/** The opening balance of a card. */
export interface NewLoad {
  readonly program: number
  readonly funder: number
  readonly amount: bigint
  /** `terms`: as the program has it. */
  readonly expiresAt: Micros | null | 'terms'
  readonly reference: string | null
}

/** Why a line is left out. The words are those of `cli/import-reasons.ts`, or of the engine. */
export interface Rejection {
  readonly line: number
  readonly field: string
  readonly reason: string
  /** What stands there, as far as it may be shown. */
  readonly value: string
}

interface KnownHolder {
  readonly id: number
  readonly reference: string | null
  readonly nationalHash: string | null
  /** Came with this very import. */
  readonly isOwn: boolean
}

/** What is there already of a batch of lines. */
interface Found {
  /** Tokens, and whether the card came with this very import. */
  readonly cards: ReadonlyMap<CardToken, boolean>
  readonly byReference: ReadonlyMap<string, KnownHolder>
  readonly byNational: ReadonlyMap<string, KnownHolder>
  /** Numbers for new holders, one for each line. */
  readonly holders: readonly number[]
}

/** Looks up what the lines name, and draws numbers for new holders. `isDry`: nothing is drawn. */
export async function lookUp(
  connection: ImportConnection,
  { tenant, startedAt, isDry }: { tenant: number; startedAt: string; isDry: boolean },
  lines: readonly PersonLine[],
): Promise<Found> {
  const rows = await connection.run(lookUpStatement(tenant, startedAt, isDry, lines))
  const cards = new Map<CardToken, boolean>()
  const byReference = new Map<string, KnownHolder>()
  const byNational = new Map<string, KnownHolder>()
  const holders: number[] = isDry ? lines.map(({ line }) => -line) : []
  for (const [what, key = null, holder = null, isOwn, other = null] of rows) {
    if (what === 'card') cards.set(key as string, isOwn === 't')
    else if (what === 'new') holders.push(idOf(holder))
    else if (what === 'reference') {
      const known = { id: idOf(holder), reference: key, nationalHash: other, isOwn: isOwn === 't' }
      byReference.set(key as string, known)
    } else {
      byNational.set(key as string, { id: idOf(holder), reference: other, nationalHash: key, isOwn: isOwn === 't' })
    }
  }
  return { cards, byReference, byNational, holders }
}

function lookUpStatement(tenant: number, startedAt: string, isDry: boolean, lines: readonly PersonLine[]): Statement {
  return statement(
    // Without a name it is planned each time, for a millisecond: tables that were empty when it began are filled.
    '',
    `SELECT 'card', replace(c.token::text, '-', ''), NULL::bigint, c.issued_at = $2::timestamptz, NULL
     FROM (SELECT $1::integer AS tenant, token FROM unnest($3::uuid[]) AS token OFFSET 0) AS x
     JOIN cards c ON c.tenant = x.tenant AND c.token = x.token
     UNION ALL
     SELECT 'reference', p.reference, p.holder, p.made_at = $2::timestamptz, encode(p.national_hash, 'hex')
     FROM (SELECT $1::integer AS tenant, reference FROM unnest($4::text[]) AS reference OFFSET 0) AS x
     JOIN cardholder_profiles p ON p.tenant = x.tenant AND p.reference = x.reference
     UNION ALL
     SELECT 'national', encode(p.national_hash, 'hex'), p.holder, p.made_at = $2::timestamptz, p.reference
     FROM (SELECT $1::integer AS tenant, hash FROM unnest($5::bytea[]) AS hash OFFSET 0) AS x
     JOIN cardholder_profiles p ON p.tenant = x.tenant AND p.national_hash = x.hash
     UNION ALL ${isDry ? dryLookUp : newHolders}`,
    [
      tenant,
      startedAt,
      arrayOf(lines.flatMap(({ card }) => (card === null ? [] : [card.token]))),
      arrayOfText(lines.flatMap(({ holder }) => holder.reference ?? [])),
      arrayOf(lines.flatMap(({ holder }) => (holder.national === null ? [] : [`"\\\\x${holder.national.hash}"`]))),
      ...(isDry ? [] : [lines.length]),
    ],
  )
}

const newHolders = "SELECT 'new', NULL, nextval('holder_seq'), NULL, NULL FROM generate_series(1, $6)"

/** What a dry run would have written by now: it lives in tables that end with the session. */
export const dryTables: Statement = statement(
  'dry_tables',
  `DO $$ BEGIN
     CREATE TEMPORARY TABLE dry_cards (token uuid PRIMARY KEY);
     CREATE TEMPORARY TABLE dry_profiles (holder bigint, reference text UNIQUE, national_hash bytea UNIQUE);
   END $$`,
)

const dryLookUp = `
  SELECT 'card', replace(d.token::text, '-', ''), NULL, true, NULL
  FROM (SELECT token FROM unnest($3::uuid[]) AS token OFFSET 0) AS x JOIN dry_cards d ON d.token = x.token
  UNION ALL SELECT 'reference', d.reference, d.holder, true, encode(d.national_hash, 'hex')
  FROM (SELECT reference FROM unnest($4::text[]) AS reference OFFSET 0) AS x
  JOIN dry_profiles d ON d.reference = x.reference
  UNION ALL SELECT 'national', encode(d.national_hash, 'hex'), d.holder, true, d.reference
  FROM (SELECT hash FROM unnest($5::bytea[]) AS hash OFFSET 0) AS x JOIN dry_profiles d ON d.national_hash = x.hash`

/** A line that is to be written: its holder is there, or `isNew`. */
export interface PlannedLine {
  readonly line: PersonLine
  readonly holder: number
  readonly isNew: boolean
}

interface Plan {
  readonly lines: readonly PlannedLine[]
  readonly rejections: readonly Rejection[]
}

/** Tells new lines from those that are there already, or that contradict what is. */
export function planLines(lines: readonly PersonLine[], found: Found): Plan {
  const cards = new Map(found.cards)
  const byReference = new Map(found.byReference)
  const byNational = new Map(found.byNational)
  const planned: PlannedLine[] = []
  const rejections: Rejection[] = []
  for (const [index, one] of lines.entries()) {
    const { holder, card } = one
    const { reference, national } = holder
    const reject = (field: string, reason: string, value: string): void => {
      rejections.push({ line: one.line, field, reason, value })
    }
    const there = reference === null ? undefined : byReference.get(reference)
    const same = national === null ? undefined : byNational.get(national.hash)
    if (card === null) {
      const known = there ?? same
      if (known !== undefined) {
        const [field, value] = there === undefined ? ['nationalCode', lastOf(holder)] : ['reference', reference ?? '']
        reject(field, duplicate(known.isOwn), value)
        continue
      }
    } else {
      const isOwn = cards.get(card.token)
      if (isOwn !== undefined) {
        reject('pan', duplicate(isOwn), `…${card.last4}`)
        continue
      }
      if (contradicts(holder, there, same)) {
        reject('nationalCode', 'other_holder', lastOf(holder))
        continue
      }
      cards.set(card.token, true)
    }
    const known = there ?? same
    const id = known?.id ?? (found.holders[index] as number)
    if (known === undefined) {
      const made = { id, reference, nationalHash: national?.hash ?? null, isOwn: true }
      if (reference !== null) byReference.set(reference, made)
      if (national !== null) byNational.set(national.hash, made)
    }
    planned.push({ line: one, holder: id, isNew: known === undefined })
  }
  return { lines: planned, rejections }
}

const duplicate = (isOwn: boolean): string => (isOwn ? 'duplicate_in_file' : 'already_there')
const lastOf = ({ national }: NewHolder): string => (national === null ? '' : `…${national.last}`)

/** Reference and national code of a line lead to two people. */
function contradicts(
  { reference, national }: NewHolder,
  there: KnownHolder | undefined,
  same: KnownHolder | undefined,
): boolean {
  if (there === undefined) return same !== undefined && reference !== null && same.reference !== null
  if (same !== undefined && same.id !== there.id) return true
  return national !== null && there.nationalHash !== null && there.nationalHash !== national.hash
}
