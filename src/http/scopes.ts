/** What an API key may be allowed to do. Every route names one of these. */
export const scopes = {
  'transactions:write': 'Authorize, confirm, reverse and refund.',
  'transactions:read': 'Read transactions, one or a list.',
  balances: 'Ask for the balance of a card.',
  settlements: 'Close settlements, and read them with their lines.',
  metrics: 'Read the metrics from another machine.',
  'organisations:read': 'Read organisations and their balances.',
  'organisations:write': 'Set up organisations with their contracts.',
  'merchants:read': 'Read merchants and terminals.',
  'merchants:write': 'Set up merchants and terminals.',
  'programs:read': 'Read programs and their terms.',
  'programs:write': 'Set up programs and change their terms.',
  'deposits:write': 'Record what organisations pay in.',
  'cards:read': 'Read cardholders and cards.',
  'cards:write': 'Set up cardholders; issue, block and replace cards.',
  'cards:reveal': 'See the number of a card in full. No role has it.',
  'accounts:read': 'Read accounts and their statements, and search transactions.',
  'accounts:write': 'Freeze accounts.',
  'loads:read': 'Read loads, load files and schedules.',
  'loads:write': 'Load, claw back, adjust and transfer value.',
  'instruments:write': 'Issue gift cards and vouchers, and change them.',
  approvals: 'Approve or reject what another key has asked for.',
  simulate: 'Ask what would be decided.',
  'audit:read': 'Read who changed what.',
  admin: 'Everything in the admin API, API keys and the tenant included; read the metrics from another machine.',
} as const satisfies Record<string, string>

export type Scope = keyof typeof scopes

export const isScope = (name: string): name is Scope => Object.hasOwn(scopes, name)

/**
 * What people of the business do, as scopes. A `merchant` sees only its own merchants, an `organisation` only its own
 * loads, holders and statements.
 */
export const roles = {
  operator: [
    'organisations:read',
    'organisations:write',
    'merchants:read',
    'merchants:write',
    'programs:read',
    'programs:write',
    'cards:read',
    'cards:write',
    'accounts:read',
    'accounts:write',
    'loads:read',
    'instruments:write',
    'approvals',
    'simulate',
  ],
  finance: [
    'organisations:read',
    'merchants:read',
    'programs:read',
    'deposits:write',
    'cards:read',
    'accounts:read',
    'loads:read',
    'loads:write',
    'instruments:write',
    'approvals',
    'settlements',
    'transactions:read',
  ],
  merchant: ['merchants:read', 'transactions:read', 'settlements'],
  organisation: ['organisations:read', 'programs:read', 'cards:read', 'accounts:read', 'loads:read', 'loads:write'],
  auditor: [
    'organisations:read',
    'merchants:read',
    'programs:read',
    'cards:read',
    'accounts:read',
    'loads:read',
    'transactions:read',
    'audit:read',
    'simulate',
  ],
} as const satisfies Record<string, readonly Scope[]>

/**
 * What a key that sees one organisation may have: those whose calls look at whose organisation something is. Any other
 * would let it see or change what is not its own.
 */
export const organisationScopes: readonly Scope[] = [
  ...roles.organisation,
  'organisations:write',
  'programs:write',
  'approvals',
]

export type Role = keyof typeof roles

export const isRole = (name: string): name is Role => Object.hasOwn(roles, name)
