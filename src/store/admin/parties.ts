import { listDeposits } from './deposits.ts'
import { changeMerchant, createMerchant, listMerchants, readMerchant } from './merchants.ts'
import { changeOrganisation, createOrganisation, listOrganisations, readOrganisation } from './organisations.ts'
import type { AdminPool } from './pool.ts'
import { changeTerminal, createTerminal, listTerminals, readTerminal } from './terminals.ts'

/** Organisations, merchants and terminals. */
export const createParties = (pool: AdminPool) => ({
  organisation: readOrganisation.bind(null, pool.run),
  organisations: listOrganisations.bind(null, pool.run),
  createOrganisation: createOrganisation.bind(null, pool),
  changeOrganisation: changeOrganisation.bind(null, pool),
  deposits: listDeposits.bind(null, pool.run),
  merchant: readMerchant.bind(null, pool.run),
  merchants: listMerchants.bind(null, pool.run),
  createMerchant: createMerchant.bind(null, pool),
  changeMerchant: changeMerchant.bind(null, pool),
  terminal: readTerminal.bind(null, pool.run),
  terminals: listTerminals.bind(null, pool.run),
  createTerminal: createTerminal.bind(null, pool),
  changeTerminal: changeTerminal.bind(null, pool),
})
