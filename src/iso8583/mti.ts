/** What a terminal's message asks for, as far as its message type indicator tells. */
type MessageKind =
  | 'preauthorization'
  | 'financial'
  | 'completion'
  | 'offline'
  | 'reversal'
  | 'reconciliation'
  | 'network'

const kinds: ReadonlyMap<string, MessageKind> = new Map([
  ['0100', 'preauthorization'],
  ['0101', 'preauthorization'],
  ['0120', 'offline'],
  ['0121', 'offline'],
  ['0200', 'financial'],
  ['0201', 'financial'],
  ['0202', 'completion'],
  ['0203', 'completion'],
  ['0220', 'completion'],
  ['0221', 'completion'],
  ['0400', 'reversal'],
  ['0401', 'reversal'],
  ['0420', 'reversal'],
  ['0421', 'reversal'],
  ['0500', 'reconciliation'],
  ['0501', 'reconciliation'],
  ['0520', 'reconciliation'],
  ['0521', 'reconciliation'],
  ['0800', 'network'],
])

/** Undefined for a message type that the switch does not take. */
export const kindOfMti = (mti: string): MessageKind | undefined => kinds.get(mti)

/** An advice that is an off-line approval when it names no original. */
export const isAdvice = (mti: string): boolean => mti.charCodeAt(2) === 0x32

const digitOf = (mti: string, at: number): number => mti.charCodeAt(at) - 0x30

/**
 * Whether somebody waits for an answer: the third digit (ISO 8583:1987, message function) is that of a request or an
 * advice. A response is never answered, so that two switches cannot keep each other busy.
 */
export function isAnswerable(mti: string): boolean {
  if (mti.length !== 4) return false
  for (let at = 0; at < 4; at++) {
    const digit = digitOf(mti, at)
    if (digit < 0 || digit > 9) return false
  }
  return digitOf(mti, 2) === 0 || digitOf(mti, 2) === 2
}

const replies = new Map<string, string>()
for (const mti of kinds.keys()) replies.set(mti, replyMti(mti))

/** 0200 and its repeat 0201 → 0210, 0220 → 0230, 0202 → 0212. Only of a message that is answerable. */
export function replyMtiOf(mti: string): string {
  return replies.get(mti) ?? replyMti(mti)
}

function replyMti(mti: string): string {
  const origin = digitOf(mti, 3)
  return mti.slice(0, 2) + (digitOf(mti, 2) + 1) + (origin - (origin % 2))
}
