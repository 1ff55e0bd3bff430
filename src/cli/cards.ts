import { loadConfig } from '../config/load.ts'
import { readOrMakeSecret } from '../config/secret-file.ts'
import { CryptoError } from '../crypto/errors.ts'
import { panToken } from '../crypto/hash.ts'
import { newPanKey, panKeyOf } from '../crypto/pan-key.ts'
import { visaPvv } from '../crypto/pin-verification.ts'
import { type CardPin, resetPinTries, runOf, setCardPin } from '../store/card-pins.ts'
import { verifyCryptogramLines, verifyCvvLines } from './cards-verify.ts'
import { type KeyStore, keysOf, OperatorError, type Options, openKey, optionsOf, withKeyStore } from './key-store.ts'
import { readSecretLines } from './secret-input.ts'

const usage = `Usage: charsu cards <command> [options]

Commands
  pin-set      says what the PIN of a card is checked against, and forgets wrong tries; needs --pan PAN
  pin-reset    forgets wrong tries: the card is not blocked any more; needs --pan PAN
  verify-cvv   whether a card verification value is right. Reads, a line each: the key (hexadecimal), card number,
               expiry (4 digits, in the issuer's order), service code (000 for a CVV2, 999 for an iCVV) and the value
  verify-arqc  whether a chip card's cryptogram is right, under its master key (option A, CVN 10). Reads, a line each:
               the issuer's key, card number, sequence number (2 digits), the data and the cryptogram (hexadecimal)

Options of pin-set
  --method pvv|ibm3624   Visa PVV, or IBM 3624 offset (pvv)
  --key INDEX            which of the tenant's keys of that usage (1)
  --value DIGITS         the PVV or offset; left out: a PIN is read from standard input, and its PVV is made
  --tenant CODE          where there are several

Options of verify-cvv and verify-arqc, which ask neither database nor switch, and end with 1 if it is wrong
  --input FILE           has the lines, mode 0600; left out: standard input
  --padding 1|2          verify-arqc: of ISO/IEC 9797-1 (1)
  --response-code HEX    verify-arqc: 2 bytes, such as 3030; prints the issuer's answer too (ARPC, method 1)
`

/** Answers the exit status. */
export async function runCards(args: string[]): Promise<number> {
  const options = optionsOf(args, ['pan', 'method', 'key', 'value', 'tenant', 'input', 'padding', 'response-code'])
  const [command] = options.positionals
  if (command === 'verify-cvv' && !options.isSet('help')) return verifyCvvLines(options)
  if (command === 'verify-arqc' && !options.isSet('help')) return verifyCryptogramLines(options)
  if (options.isSet('help') || (command !== 'pin-set' && command !== 'pin-reset')) {
    process.stdout.write(usage)
    return options.isSet('help') ? 0 : 2
  }
  const pan = options.textOf('pan') ?? ''
  if (!/^\d{12,19}$/.test(pan)) throw new OperatorError('--pan must be 12 to 19 digits')
  const { panKey, dataDir } = loadConfig()
  const token = panToken(pan, panKeyOf(panKey ?? readOrMakeSecret(`${dataDir}/pan.key`, newPanKey)))
  return withKeyStore(options.textOf('tenant'), async store => {
    const { pool, tenant } = store
    const isFound =
      command === 'pin-reset'
        ? await resetPinTries(runOf(pool), tenant, token)
        : await setCardPin(pool, tenant, token, await pinOf(store, pan, options))
    if (!isFound) throw new OperatorError('there is no such card')
    process.stdout.write(command === 'pin-reset' ? 'wrong tries forgotten\n' : 'PIN set\n')
    return 0
  })
}

async function pinOf(store: KeyStore, pan: string, { textOf }: Options): Promise<CardPin> {
  const method = textOf('method') ?? 'pvv'
  const keyName = textOf('key') ?? '1'
  const value = textOf('value')
  if (method !== 'pvv' && method !== 'ibm3624') throw new OperatorError('--method must be pvv or ibm3624')
  if (value !== undefined) {
    if (!(method === 'pvv' ? /^\d{4}$/ : /^\d{4,12}$/).test(value)) throw new OperatorError('--value is not one')
    return { method, keyName, value }
  }
  if (method !== 'pvv') throw new OperatorError('--value is needed with ibm3624')
  const row = (await keysOf(store.pool, store.tenant)).find(
    one => one.usage === 'pvv' && one.name === keyName && one.status === 'active',
  )
  if (row === undefined) throw new OperatorError(`there is no pvv key ${keyName}: charsu keys generate --usage pvv`)
  const { key } = await openKey(store, String(row.id))
  const [pin = ''] = await readSecretLines(['PIN'])
  try {
    return { method, keyName, value: visaPvv({ key, keyIndex: keyName, pan }, pin) }
  } catch (error) {
    if (error instanceof CryptoError) throw new OperatorError(error.message)
    throw error
  }
}
