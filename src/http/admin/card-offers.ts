import type { KeyObject } from 'node:crypto'
import { randomCardNumber } from '../../core/card-numbers.ts'
import type { NumberOffer } from '../../core/cards.ts'
import { panToken } from '../../crypto/hash.ts'
import { sealPan, vaultKeyOf } from '../../crypto/pan-vault.ts'
import { randomDigits } from '../../crypto/random-digits.ts'

/** Random numbers of a range, as the database keeps them: no two are the same. */
export function numberOffers(count: number, range: string, tenant: number, panKey: KeyObject): NumberOffer[] {
  const vaultKey = vaultKeyOf(panKey)
  const offers = new Map<string, NumberOffer>()
  for (let index = 0; index < count; index++) {
    const pan = randomCardNumber(range, randomDigits)
    const token = panToken(pan, panKey)
    const sealed = sealPan(vaultKey, pan, { tenant, token }).toString('hex')
    offers.set(token, { token, last4: pan.slice(-4), sealed })
  }
  return [...offers.values()]
}
