import { type Reason, reasons } from '../core/reasons.ts'

/** Why a line is left out, beside the reasons that the engine has for refusing a load. */
const lineReasons = {
  missing: 'is missing',
  line_broken: 'a quote in this line is never closed, or the line is too long',
  columns_too_many: 'the line has more cells than there are titles: is something not quoted?',
  card_number_invalid: 'must be a card number of 12 to 19 digits',
  number_damaged: 'a spreadsheet has turned the number into a rounded one: save the column as text',
  check_digit_wrong: 'the last digit is not the check digit of those before it',
  range_wrong: "is not in the range of its program's cards, or in none where programs have them",
  reference_invalid: 'must be 1 to 64 characters, and must not look like a card number',
  too_long: 'is too long',
  mobile_invalid: 'must be a mobile number such as 09121234567',
  national_invalid: 'must be a national code of ten digits',
  amount_invalid: 'must be an amount in the unit of the currency, at most 15 digits',
  date_invalid: 'must be a date such as 2026-12-31 or 1405/12/29; a month such as 2026-12 or 1405/12 for a card',
  date_past: 'is over already',
  status_unknown: 'must be active, blocked or inactive',
  kind_unknown: 'must be physical or virtual',
  program_unknown: 'is not a program here',
  program_missing: 'is needed for the amount: in the line, the mapping, or with --program',
  program_closed: 'is closed',
  funder_unknown: 'is not an organisation here',
  funder_missing: 'is needed for the amount: in the line, the mapping, with --funder, or set for the program',
  organisation_suspended: 'is suspended',
  code_invalid: 'must be letters, digits and signs of ASCII, of at most 15 (merchant) or 8 (terminal)',
  merchant_unknown: 'is not a merchant here',
  channel_unknown: 'must be pos, web or app',
  confirmation_unknown: 'must be explicit or implicit',
  yes_or_no: 'must be yes or no',
  duplicate_in_file: 'is there before, in this file',
  already_there: 'is in the database already',
  other_holder: 'belongs to another cardholder than the reference, or the cardholder has another one',
} as const
export type LineReason = keyof typeof lineReasons

/** A sentence for a reason, of a line or of the engine. */
export const sentenceOf = (reason: string): string =>
  lineReasons[reason as LineReason] ?? reasons[reason as Reason]?.en ?? reason

export const isDuplicate = (reason: string): boolean => reason === 'duplicate_in_file' || reason === 'already_there'
