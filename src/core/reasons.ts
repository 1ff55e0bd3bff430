/**
 * One row for everything the switch can answer: what a terminal sees (DE39, ISO 8583:1987 table of response codes as
 * the contract uses them), what a POS sees (HTTP status), whether the same key may be tried again, and a sentence for
 * the cashier. `stored` refusals are promises: the same key gets the same answer for ever. `code` is what the database
 * keeps: codes are never reused.
 */
export interface ReasonRow {
  readonly code: number
  readonly de39: string
  readonly http: number
  readonly retry: boolean
  readonly en: string
  readonly fa: string
}

const row = (code: number, de39: string, http: number, en: string, fa: string): ReasonRow => ({
  code,
  de39,
  http,
  retry: false,
  en,
  fa,
})

/** Refused before it had a decision: nothing is stored and the same key may try again. */
const passing = (code: number, de39: string, http: number, en: string, fa: string): ReasonRow => ({
  ...row(code, de39, http, en, fa),
  retry: true,
})

export const reasons = {
  approved: row(0, '00', 200, 'Approved.', 'تراکنش تأیید شد.'),
  approved_partially: row(1, '10', 201, 'Approved for a part of the amount.', 'تراکنش برای بخشی از مبلغ تأیید شد.'),

  merchant_unknown: row(10, '03', 402, 'This merchant is not registered.', 'پذیرنده شناخته نشد.'),
  terminal_unknown: row(11, '58', 402, 'This terminal is not registered.', 'پایانه شناخته نشد.'),
  terminal_not_of_merchant: row(
    12,
    '58',
    402,
    'This terminal is not one of the merchant.',
    'پایانه متعلق به این پذیرنده نیست.',
  ),
  operation_not_allowed: row(13, '58', 402, 'This terminal may not do this.', 'این عملیات برای پایانه مجاز نیست.'),
  currency_unsupported: row(14, '12', 402, 'This currency is not accepted here.', 'این واحد پول پذیرفته نیست.'),
  amount_invalid: row(15, '13', 402, 'The amount must be more than zero.', 'مبلغ باید بیشتر از صفر باشد.'),
  amount_beyond: row(
    16,
    '13',
    402,
    'The amount is more than what is left of the transaction.',
    'مبلغ از مانده تراکنش بیشتر است.',
  ),
  amount_too_large: row(82, '13', 402, 'This is more than an account can hold.', 'مبلغ از گنجایش حساب بیشتر است.'),
  amount_mismatch: row(17, '13', 402, 'The amount is not that of the original.', 'مبلغ با تراکنش اصلی یکسان نیست.'),
  card_unknown: row(20, '14', 402, 'This card number is unknown or mistyped.', 'شماره کارت ناشناخته یا نادرست است.'),
  card_blocked: row(21, '62', 402, 'This card is blocked.', 'کارت مسدود است.'),
  card_expired: row(22, '54', 402, 'This card has expired.', 'تاریخ اعتبار کارت گذشته است.'),
  program_not_allowed: row(23, '57', 402, 'This credit cannot be spent here.', 'این اعتبار در اینجا قابل خرج نیست.'),
  insufficient_funds: row(24, '51', 402, 'There is not enough credit.', 'موجودی کافی نیست.'),
  insufficient_funds_held: row(
    25,
    '51',
    402,
    'There is not enough credit: a part is held by another purchase.',
    'موجودی کافی نیست: بخشی از اعتبار برای خرید دیگری نگه داشته شده است.',
  ),

  credit_expired: row(26, '57', 402, 'This credit has expired.', 'مهلت این اعتبار گذشته است.'),
  account_frozen: row(27, '62', 402, 'This credit is frozen.', 'این اعتبار مسدود شده است.'),
  program_not_now: row(28, '57', 402, 'This credit cannot be spent now.', 'این اعتبار اکنون قابل خرج نیست.'),
  goods_not_eligible: row(
    29,
    '57',
    402,
    'This credit is not for these goods.',
    'این اعتبار برای این کالاها قابل خرج نیست.',
  ),

  original_unknown: row(30, '25', 404, 'The original transaction was not found.', 'تراکنش اصلی پیدا نشد.'),
  original_ambiguous: row(31, '25', 409, 'More than one transaction fits: name one.', 'بیش از یک تراکنش یافت شد.'),
  original_mismatch: row(
    32,
    '12',
    409,
    'The original is of another card or merchant.',
    'تراکنش اصلی برای کارت یا پذیرنده دیگری است.',
  ),
  reversed_before: row(
    33,
    '12',
    409,
    'This was reversed before it arrived.',
    'این تراکنش پیش از رسیدن برگشت خورده است.',
  ),
  not_confirmable: row(
    34,
    '12',
    409,
    'This transaction cannot be confirmed any more.',
    'این تراکنش دیگر قابل تأیید نیست.',
  ),
  confirm_too_late: row(
    35,
    '68',
    409,
    'It is too late to confirm: the hold has run out.',
    'مهلت تأیید تراکنش گذشته است.',
  ),
  not_reversible: row(
    36,
    '12',
    409,
    'This transaction cannot be reversed any more.',
    'این تراکنش دیگر قابل برگشت نیست.',
  ),
  not_refundable: row(37, '12', 409, 'This transaction cannot be refunded.', 'این تراکنش قابل استرداد نیست.'),
  not_expirable: row(38, '12', 409, 'This hold is not due.', 'مهلت این تراکنش نگذشته است.'),
  processing_code_unsupported: row(
    39,
    '40',
    402,
    'This kind of transaction is not supported.',
    'این نوع تراکنش پشتیبانی نمی‌شود.',
  ),

  pin_wrong: row(40, '55', 402, 'The PIN is wrong.', 'رمز کارت نادرست است.'),
  pin_tries_exceeded: row(
    41,
    '75',
    402,
    'The PIN was wrong too often: the card is blocked.',
    'تعداد دفعات ورود رمز نادرست بیش از حد مجاز است.',
  ),
  pin_unverifiable: row(42, '81', 402, 'The PIN could not be checked.', 'بررسی رمز کارت ممکن نشد.'),
  pin_replayed: row(
    43,
    '88',
    402,
    'The key of this PIN was used before: enter it again.',
    'کلید این رمز پیش‌تر به کار رفته است: رمز را دوباره وارد کنید.',
  ),

  card_inactive: row(44, '62', 402, 'This card has not been activated.', 'کارت هنوز فعال نشده است.'),
  card_replaced: row(45, '62', 402, 'This card has been replaced by another.', 'کارت با کارت دیگری جایگزین شده است.'),
  card_closed: row(46, '62', 402, 'This card has been closed.', 'کارت بسته شده است.'),
  merchant_suspended: row(47, '03', 402, 'This merchant is suspended.', 'پذیرنده موقتاً غیرفعال است.'),
  terminal_suspended: row(48, '58', 402, 'This terminal is suspended.', 'پایانه موقتاً غیرفعال است.'),
  amount_below_minimum: row(
    49,
    '13',
    402,
    'The purchase is too small for this credit.',
    'مبلغ خرید از حداقل لازم برای این اعتبار کمتر است.',
  ),
  amount_limit: row(50, '61', 402, 'The purchase is beyond a limit of amount.', 'مبلغ خرید از سقف مجاز بیشتر است.'),
  count_limit: row(51, '65', 402, 'There were too many purchases.', 'تعداد خریدها از حد مجاز بیشتر است.'),
  share_limit: row(
    52,
    '61',
    402,
    'This credit pays only a part of a purchase.',
    'این اعتبار تنها بخشی از مبلغ خرید را می‌پردازد.',
  ),
  budget_exhausted: row(
    53,
    '61',
    402,
    'The budget of the organisation is used up.',
    'بودجه سازمان برای این دوره به پایان رسیده است.',
  ),
  pays_alone_only: row(
    54,
    '57',
    402,
    'This credit pays a whole purchase or nothing.',
    'این اعتبار تنها برای پرداخت کامل خرید قابل استفاده است.',
  ),
  program_closed: row(55, '57', 409, 'This program is closed or unknown.', 'این طرح بسته یا ناشناخته است.'),
  organisation_unknown: row(56, '25', 404, 'This organisation is unknown.', 'سازمان شناخته نشد.'),
  organisation_suspended: row(57, '12', 409, 'This organisation is suspended.', 'سازمان موقتاً غیرفعال است.'),
  contract_not_in_force: row(
    81,
    '12',
    409,
    'The contract of the organisation is not in force today.',
    'قرارداد سازمان امروز معتبر نیست.',
  ),
  funding_insufficient: row(
    58,
    '51',
    409,
    'The organisation has not enough left under its contract.',
    'مانده سازمان بر پایه قرارداد کافی نیست.',
  ),
  account_unknown: row(59, '25', 404, 'This account is unknown.', 'حساب شناخته نشد.'),
  transfer_not_allowed: row(
    76,
    '57',
    409,
    'Value of this program may not be moved there.',
    'انتقال اعتبار این طرح به آنجا مجاز نیست.',
  ),

  other_content: row(
    60,
    '94',
    422,
    'This key was used before with other content.',
    'این کلید پیش‌تر با محتوای دیگری به کار رفته است.',
  ),
  in_progress: passing(61, '91', 409, 'The same request is still being worked on.', 'همین درخواست در حال انجام است.'),
  format_invalid: passing(62, '30', 400, 'The request is not well formed.', 'قالب درخواست درست نیست.'),
  switch_busy: passing(63, '91', 503, 'The switch is busy: try again.', 'سوییچ مشغول است: دوباره تلاش کنید.'),
  switch_unavailable: passing(
    64,
    '91',
    503,
    'The switch is away for a moment: try again.',
    'سوییچ در دسترس نیست: دوباره تلاش کنید.',
  ),
  internal_error: passing(65, '96', 500, 'Something went wrong here: try again.', 'خطای داخلی: دوباره تلاش کنید.'),
  outcome_unknown: passing(
    66,
    '91',
    504,
    'The outcome is not known yet: ask again with the same key.',
    'نتیجه هنوز روشن نیست: با همان کلید دوباره بپرسید.',
  ),
  key_missing: passing(67, '30', 400, 'The header Idempotency-Key is missing.', 'سرآیند Idempotency-Key وجود ندارد.'),
  unauthenticated: passing(
    68,
    '58',
    401,
    'The API key is missing or unknown.',
    'کلید دسترسی وجود ندارد یا ناشناخته است.',
  ),
  forbidden: passing(69, '58', 403, 'This API key may not do this.', 'این کلید اجازه این کار را ندارد.'),
  too_large: passing(70, '30', 413, 'The request is too large.', 'درخواست بیش از اندازه بزرگ است.'),
  method_not_allowed: passing(
    72,
    '30',
    405,
    'This address does not take this method.',
    'این روش برای این نشانی پذیرفته نیست.',
  ),
  media_type_unsupported: passing(73, '30', 415, 'The request must be JSON.', 'درخواست باید JSON باشد.'),
  mac_invalid: passing(74, '63', 403, 'The message is not authentic.', 'اصالت پیام تأیید نشد.'),
  not_signed_on: passing(75, '58', 403, 'The terminal has not signed on.', 'پایانه هنوز وارد سامانه نشده است.'),
  code_taken: passing(77, '12', 409, 'This code is taken by another.', 'این کد پیش‌تر به کار رفته است.'),
  version_missing: passing(
    78,
    '30',
    428,
    'The header If-Match is missing: send the ETag of what you have seen.',
    'سرآیند If-Match وجود ندارد.',
  ),
  version_mismatch: passing(
    79,
    '30',
    412,
    'This has been changed since: read it again.',
    'این مورد پس از خواندن شما تغییر کرده است: دوباره بخوانید.',
  ),
  too_many_attempts: passing(
    90,
    '91',
    429,
    'Too many unknown codes: wait a minute.',
    'تعداد کدهای نادرست بیش از حد مجاز است: یک دقیقه صبر کنید.',
  ),
  file_known: passing(
    91,
    '12',
    409,
    'This file was sent before, under the same reference.',
    'این پرونده پیش‌تر با همین شناسه فرستاده شده است.',
  ),
  state_unsuitable: passing(
    92,
    '12',
    409,
    'This is not possible any more, or not yet.',
    'این کار در وضعیت کنونی ممکن نیست.',
  ),
  second_person_needed: passing(
    93,
    '58',
    403,
    'Another API key than the one that asked must decide this.',
    'تأیید این درخواست باید با کلید دیگری انجام شود.',
  ),
  card_status_wrong: passing(
    80,
    '62',
    409,
    'The state of this card does not allow that.',
    'وضعیت کارت اجازه این کار را نمی‌دهد.',
  ),
  not_found: passing(71, '25', 404, 'There is nothing here by that name.', 'چیزی با این نشانی پیدا نشد.'),
} as const satisfies Record<string, ReasonRow>

export type Reason = keyof typeof reasons

const byCode = new Map(Object.entries(reasons).map(([reason, { code }]) => [code as number, reason as Reason]))

/** The reason that the database keeps as `code`. Throws on a code that no release has written. */
export function reasonOfCode(code: number): Reason {
  const reason = byCode.get(code)
  if (reason === undefined) throw new Error(`reason code ${code} is not in the table`)
  return reason
}

export const isApproval = (reason: Reason): boolean => reason === 'approved' || reason === 'approved_partially'
