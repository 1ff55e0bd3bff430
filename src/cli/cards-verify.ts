import { verifyCardVerificationValue } from '../crypto/card-verification.ts'
import { cardMasterKey, responseCryptogram, verifyCryptogram } from '../crypto/emv-cryptogram.ts'
import { CryptoError } from '../crypto/errors.ts'
import { hexOf, OperatorError, type Options, secretLines } from './key-store.ts'

// For who takes over a card base, and wants to know that the issuer's keys are the right ones. A clear key comes from
// standard input or a file, is used, and is kept nowhere; only right or wrong goes out.

const rightExit = 0
const wrongExit = 1

/** `charsu cards verify-cvv`. Answers the exit status. */
export async function verifyCvvLines(options: Options): Promise<number> {
  const prompts = ['key', 'card number', 'expiry', 'service code', 'value']
  const [key = '', pan = '', expiry = '', serviceCode = '', value = ''] = await secretLines(options, prompts)
  return told(sensible(() => verifyCardVerificationValue(bytesOf('the key', key), { pan, expiry, serviceCode }, value)))
}

/** `charsu cards verify-arqc`. Answers the exit status. */
export async function verifyCryptogramLines(options: Options): Promise<number> {
  const padding = options.textOf('padding') ?? '1'
  if (padding !== '1' && padding !== '2') throw new OperatorError('--padding must be 1 or 2')
  const code = options.textOf('response-code')
  if (code !== undefined && !/^[0-9A-Fa-f]{4}$/.test(code)) throw new OperatorError('--response-code must be 2 bytes')
  const prompts = ["issuer's key", 'card number', 'sequence number', 'data', 'cryptogram']
  const [issuer = '', pan = '', sequence = '', data = '', given = ''] = await secretLines(options, prompts)
  const cryptogram = bytesOf('the cryptogram', given)
  const key = sensible(() => cardMasterKey(bytesOf("the issuer's key", issuer), pan, sequence))
  const covered = bytesOf('the data', data)
  const isRight = sensible(() => verifyCryptogram(key, covered, cryptogram, padding === '1' ? 1 : 2))
  const status = told(isRight)
  // The answer to a wrong cryptogram would be good for one that is right.
  if (isRight && code !== undefined) {
    process.stdout.write(`ARPC ${hexOf(responseCryptogram(key, cryptogram, Buffer.from(code, 'hex')))}\n`)
  }
  return status
}

function told(isRight: boolean): number {
  process.stdout.write(isRight ? 'right\n' : 'wrong\n')
  return isRight ? rightExit : wrongExit
}

function bytesOf(what: string, text: string): Buffer {
  if (!/^(?:[0-9A-Fa-f]{2})+$/.test(text)) throw new OperatorError(`${what} must be hexadecimal digits, two a byte`)
  return Buffer.from(text, 'hex')
}

function sensible<Value>(compute: () => Value): Value {
  try {
    return compute()
  } catch (error) {
    if (error instanceof CryptoError) throw new OperatorError(error.message)
    throw error
  }
}
