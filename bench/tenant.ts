/** The tenant that the benchmark is run with: as the demo tenant, but larger. */
export const tenantCode = 'bench'
export const cardBin = '936400'
export const currencyNumeric = '364'
export const apiKey = 'bench-pos-key'

/** Each merchant has so many terminals. */
const terminalsPerMerchant = 4

/** DE41 and DE42 of terminal number `index`, from 0. */
export const terminalCode = (index: number): string => `T${String(index + 1).padStart(7, '0')}`
export const merchantCode = (index: number): string => merchantCodeOf(Math.floor(index / terminalsPerMerchant))

const merchantCodeOf = (number: number): string => `M${String(number + 1).padStart(14, '0')}`

/** What every card holds at the start, in rials: never spent within a run. */
const loadPerCard = '1000000000000'

/** `demo.json` with this many terminals and cards. */
export function benchTenant(terminals: number, cards: number): object {
  return {
    code: tenantCode,
    name: 'Benchmark',
    timeZone: 'Asia/Tehran',
    cutOverSeconds: 0,
    currency: { code: 'IRR', numeric: currencyNumeric, scale: 0 },
    organisations: [{ code: 'bench', name: 'Benchmark' }],
    programs: [{ code: 'credit', kind: 'credit' }],
    merchants: Array.from({ length: Math.ceil(terminals / terminalsPerMerchant) }, (_, number) => ({
      code: merchantCodeOf(number),
      name: `Merchant ${number + 1}`,
      terminals: Array.from({ length: terminalsPerMerchant }, (_, index) => ({
        code: terminalCode(number * terminalsPerMerchant + index),
        confirmation: 'explicit',
        partial: false,
      })),
    })),
    apiKeys: [
      { key: apiKey, label: 'Benchmark', scopes: ['transactions:write', 'transactions:read'], merchants: ['*'] },
    ],
    cards: { bin: cardBin, count: cards },
    loads: [{ program: 'credit', funder: 'bench', toCard: cards, amount: loadPerCard }],
  }
}
