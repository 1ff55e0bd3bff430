/** What an API key may be allowed to do. Every route names one of these. */
export const scopes = {
  'transactions:write': 'Authorize, confirm, reverse and refund.',
  'transactions:read': 'Read transactions, one or a list.',
  balances: 'Ask for the balance of a card.',
  settlements: 'Close settlements, and read them with their lines.',
  metrics: 'Read the metrics from another machine.',
  admin: 'Call the admin API, and read the metrics from another machine.',
} as const satisfies Record<string, string>

export type Scope = keyof typeof scopes

export const isScope = (name: string): name is Scope => Object.hasOwn(scopes, name)
