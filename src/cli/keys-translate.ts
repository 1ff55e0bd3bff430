import { CryptoError } from '../crypto/errors.ts'
import { type PinBlockFormat, translatePin } from '../crypto/pin-translation.ts'
import { nowMicros } from '../ops/clock.ts'
import type { KeyRow } from '../store/keys.ts'
import { hexOf, type KeyStore, keysOf, OperatorError, type Options, openKey, secretLines } from './key-store.ts'

const formats: readonly PinBlockFormat[] = [0, 1, 3, 4]

/** `charsu keys translate-pin`: the line that it prints. The PIN is in the clear only on its way through here. */
export async function translatedPin(store: KeyStore, options: Options): Promise<string> {
  const fromFormat = formatOf('from-format', options.textOf('from-format') ?? '0')
  const toFormat = formatOf('to-format', options.textOf('to-format') ?? String(fromFormat))
  const from = ownerOf('from', options, /^(?:terminal|listener|host):/)
  // A PIN goes on to a host or a zone, never to a terminal.
  const to = ownerOf('to', options, /^(?:listener|host):/)
  const sources = await pinKeysOf(store, from, fromFormat)
  if (sources.length === 0) throw new OperatorError(`${from} has no PIN key in use: charsu keys import --usage pin`)
  const [target] = (await pinKeysOf(store, to, toFormat)).filter(({ status }) => status === 'active')
  if (target === undefined) throw new OperatorError(`${to} has no active PIN key: charsu keys import --usage pin`)

  const [pan = '', block = ''] = await secretLines(options, ['card number', 'PIN block'])
  if (!/^(?:[0-9A-Fa-f]{2})+$/.test(block)) throw new OperatorError('the PIN block must be hexadecimal digits')
  const { key } = await openKey(store, String(target.id))
  for (const source of sources) {
    const sourceKey = (await openKey(store, String(source.id))).key
    try {
      const translated = translatePin(
        { format: fromFormat, key: sourceKey },
        { format: toFormat, key },
        Buffer.from(block, 'hex'),
        pan,
      )
      return (
        `${hexOf(translated)}: format ${toFormat}, under key ${target.id} of ${to}, check value ` +
        `${target.checkValue.toUpperCase()}; it came under key ${source.id} of ${from}\n`
      )
    } catch (error) {
      // Under another of the keys it may be readable: one that is retiring.
      if (!(error instanceof CryptoError) || error.code !== 'pin_block') throw error
    }
  }
  const tried = sources.map(({ id, checkValue }) => `${id} (${checkValue.toUpperCase()})`).join(', ')
  throw new OperatorError(`the PIN block is of another key, format or card; tried: key ${tried}`)
}

/** Those that are in use, the newest first. */
async function pinKeysOf({ pool, tenant }: KeyStore, owner: string, format: PinBlockFormat): Promise<KeyRow[]> {
  const algorithm = format === 4 ? 'aes' : 'tdes'
  const rows = (await keysOf(pool, tenant)).filter(
    row => row.usage === 'pin' && row.owner === owner && (row.until === null || row.until > nowMicros()),
  )
  const usable = rows.filter(row => row.status !== 'retired')
  const other = usable.find(row => row.algorithm !== algorithm)
  if (other !== undefined && usable.every(row => row.algorithm !== algorithm)) {
    throw new OperatorError(`format ${format} needs a key for ${algorithm}; key ${other.id} of ${owner} is none`)
  }
  return usable.filter(row => row.algorithm === algorithm).sort((one, another) => another.id - one.id)
}

function ownerOf(option: string, { textOf }: Options, form: RegExp): string {
  const owner = textOf(option)
  if (owner === undefined || !form.test(owner)) {
    const kinds = form.test('terminal:') ? 'terminal:CODE, listener:NAME' : 'listener:NAME'
    throw new OperatorError(`--${option} must be ${kinds} or host:NAME`)
  }
  return owner
}

function formatOf(option: string, text: string): PinBlockFormat {
  const format = formats.find(one => String(one) === text)
  if (format === undefined) throw new OperatorError(`--${option} must be one of ${formats.join(', ')}`)
  return format
}
