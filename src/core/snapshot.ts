import type { Lot } from './ledger.ts'
import type { Counted } from './spend.ts'
import type { Card } from './transactions.ts'
import type { Usage } from './usage.ts'
import type { OrganisationCounters } from './working-set.ts'

/** A holder as one moment shows it: every lot, and what the limits have counted. Nobody has locked it. */
export interface Snapshot {
  readonly holder: number
  readonly lots: readonly Lot[]
  readonly usage: Usage
  /** Of those who have funded one of the lots. */
  readonly organisations: readonly OrganisationCounters[]
}

export interface CardSnapshot extends Snapshot {
  readonly card: Card
}

/** What the limits have counted, by a snapshot: an organisation without counters has not been counted. */
export const countedIn = ({ usage, organisations }: Snapshot): Counted => ({
  holder: usage,
  organisation: id => organisations.find(one => one.id === id)?.usage ?? [],
})
