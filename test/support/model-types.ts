/** What the oracle (`model.ts`) is told and tells: nothing of it comes from the core. */
export type ModelPhase = 'refused' | 'authorized' | 'confirmed' | 'settled' | 'reversed' | 'expired'

type Extent = { by: 'all' } | { by: 'off' | 'to'; amount: bigint }
export type Name =
  | { by: 'id'; id: number }
  | { by: 'key'; key: string }
  | { by: 'keyRange'; from: string; to: string }
  | { by: 'rrn'; merchant: string; rrn: string }
  | { by: 'reference'; merchant: string; reference: string }
  | { by: 'ambiguity' }

interface Asked {
  readonly channel: 'api' | 'terminal' | 'switch'
  readonly key: string
  readonly content: string
}
export interface Open extends Asked {
  readonly merchant: string
  readonly terminal: string
  readonly card: string
  readonly currency: string
}
interface About extends Asked {
  readonly original: Name
  readonly merchants: '*' | readonly string[]
  readonly card: string | null
  readonly currency: string | null
}
export interface Buy extends Open {
  readonly kind: 'authorize'
  readonly amount: bigint
  readonly purpose: 'purchase' | 'preauthorization'
  readonly capture: boolean | 'terminal'
  readonly partial: boolean | 'terminal'
  readonly eligibleAmount: bigint | null
  readonly confirmWithinSeconds: number | null
  readonly reference: string | null
  readonly rrn: string | null
}
export type ModelCommand =
  | Buy
  | (Open & { readonly kind: 'inquire' })
  | (About & { readonly kind: 'confirm'; readonly amount: bigint | null })
  | (About & { readonly kind: 'reverse'; readonly extent: Extent; readonly originalAmount: bigint | null })
  | (About & {
      readonly kind: 'refund'
      readonly amount: bigint | null
      readonly terminal: string | null
      readonly rrn: string | null
    })
  | (Asked & { readonly kind: 'expire'; readonly id: number })
  | (Asked & { readonly kind: 'adjust'; readonly lot: number; readonly amount: bigint })
  | (Asked & { readonly kind: 'settle'; readonly merchant: string; readonly net: bigint })
export type FollowUp = Extract<ModelCommand, About>

export interface ModelLot {
  readonly id: number
  readonly holder: number
  readonly program: string
  readonly isWelfare: boolean
  readonly priority: number
  readonly confirmWithinSeconds: number | null
  readonly spendable: boolean
  readonly limit: bigint
  readonly expiresAt: number | null
  loaded: bigint
  /** Net of what came back. */
  spent: bigint
  held: bigint
}
export interface ModelCard {
  readonly holder: number
  readonly isBlocked: boolean
  readonly expiresAt: number | null
}
export interface ModelTerminal {
  readonly merchant: string
  readonly isImplicit: boolean
  readonly partial: boolean
  readonly confirmWithinSeconds: number | null
}
export interface World {
  readonly currencies: readonly string[]
  readonly merchants: readonly string[]
  readonly terminals: Readonly<Record<string, ModelTerminal>>
  readonly cards: Readonly<Record<string, ModelCard>>
  readonly lots: readonly ModelLot[]
}

export interface Share {
  readonly lot: ModelLot
  amount: bigint
}
export interface ModelAmounts {
  readonly requested: bigint
  authorized: bigint
  confirmed: bigint
  reversed: bigint
  refunded: bigint
}
export interface Deal {
  readonly id: number
  readonly isRefund: boolean
  readonly holder: number | null
  readonly card: string
  readonly merchant: string | null
  readonly amounts: ModelAmounts
  readonly shares: readonly Share[]
  readonly expiresAt: number | null
  readonly reference: string | null
  readonly rrn: string | null
  readonly refundOf: Deal | null
  phase: ModelPhase
  confirmedIn: number | null
}

export interface ModelAnswer {
  readonly reason: string
  readonly transaction: number | null
  readonly phase: ModelPhase | null
  readonly amounts: Readonly<ModelAmounts> | null
  /** Lot and what of the transaction is in force there, in the order of spending. */
  readonly legs: readonly (readonly [lot: number, amount: bigint])[]
  readonly balances: readonly { program: string; balance: bigint; held: bigint; spendable: bigint }[] | null
}
export type Verdict = { kind: 'decided'; answer: ModelAnswer; replayed: boolean } | { kind: 'other_content' }

/** When and where a command is decided, and the id that a transaction it opens is given. */
export interface Moment {
  readonly at: number
  readonly batch: number
  readonly id: number
  /** What DE37 the switch gives to a transaction that brings none. */
  readonly rrnOf: (id: number) => string
}
