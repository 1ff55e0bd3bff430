import type { Balance } from '../core/transactions.ts'

/** DE54, additional amounts (ISO 8583:1987): 20 characters an entry. The amount types that the switch answers with. */
const amountTypes = { ledger: '01', available: '02', requested: '57' } as const

const n12Max = 999_999_999_999n

/** n 12; what does not fit (a balance: amounts of transactions do) is shown as the largest that does. */
export const n12 = (amount: bigint): string => String(amount > n12Max ? n12Max : amount).padStart(12, '0')

/** Account type, amount type, currency, C or D for what is negative, amount. */
function entry(account: string, type: keyof typeof amountTypes, currency: string, amount: bigint): string {
  return `${account}${amountTypes[type]}${currency}${amount < 0n ? 'D' : 'C'}${n12(amount < 0n ? -amount : amount)}`
}

/** Positions 3-4 of DE3: the account that the amounts are of; 00 where none is said. */
const accountOf = (processing: string | undefined): string => processing?.slice(2, 4).padEnd(2, '0') ?? '00'

/** The balances of all programs together: on the ledger, and what could be spent there now. */
export function balanceEntries(processing: string | undefined, currency: string, balances: readonly Balance[]): string {
  let ledger = 0n
  let available = 0n
  for (const { balance, spendable } of balances) {
    ledger += balance
    available += spendable
  }
  const account = accountOf(processing)
  return entry(account, 'ledger', currency, ledger) + entry(account, 'available', currency, available)
}

/** What was asked for, where only a part of it was approved. */
export const requestedEntry = (processing: string | undefined, currency: string, requested: bigint): string =>
  entry(accountOf(processing), 'requested', currency, requested)
