import type { Catalog } from '../../../core/catalog.ts'
import { dayOfMicros, formatTransactionId, parseTransactionId } from '../../../core/ids.ts'
import { type Phase, phaseCodes } from '../../../core/phases.ts'
import { type Reason, reasons } from '../../../core/reasons.ts'
import type { TransactionFilter } from '../../../store/reads/list-transactions.ts'
import type { TransactionView } from '../../../store/reads/transactions.ts'
import { type ApiKey, speaksFor } from '../../api-keys.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import { sendProblem } from '../../problem.ts'
import { renderTransaction } from '../../render.ts'
import { allowAny } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { listDocs } from '../docs.ts'
import { answerList, type Filter, id, listLimits, oneOf, text, time } from '../lists.ts'
import { FoundTransaction, FoundTransactions } from '../schemas/search.ts'

const amount = (about: string): Filter<bigint> => ({
  about,
  must: 'must be an amount: an integer, zero or more',
  parse: digits => (/^[0-9]{1,16}$/.test(digits) ? BigInt(digits) : null),
})

const filters = {
  card: id('Only with this card.'),
  cardholder: id('Only of this holder.'),
  last4: {
    about: 'Only with cards that end in these digits.',
    must: 'must be four digits or letters',
    parse: (given: string) => (/^[0-9A-Z]{4}$/.test(given) ? given : null),
  },
  merchant: text('Only at this merchant.', 15),
  terminal: text('Only at this terminal.', 8),
  rrn: text('Only with this retrieval reference number.', 12),
  reference: text('Only of this bill.'),
  phase: oneOf('Only in this phase.', Object.keys(phaseCodes) as Phase[]),
  reason: oneOf(
    'Only with this reason: why it was refused, or that it was approved.',
    Object.keys(reasons) as Reason[],
  ),
  minAmount: amount('Only where at least so much was asked for.'),
  maxAmount: amount('Only where at most so much was asked for.'),
  from: time('Created at or after.'),
  to: time('Created before.'),
}

/** Purchases, refunds and refusals as operators look for them. */
export function addSearchRoutes(app: HttpApp, deps: HttpDeps): void {
  const { cards } = deps.admin

  app.get(
    '/admin/v1/transactions',
    {
      onRequest: allowAny(['accounts:read', 'transactions:read'], deps),
      schema: { response: { 200: FoundTransactions } },
      config: listDocs(
        {
          operationId: 'searchTransactions',
          tag: 'Reports',
          summary: 'Search transactions',
          description:
            'The newest first, refusals with their reasons. A page may be short, even empty, and still have a ' +
            '`nextCursor`: one call looks through 31 days at the most. A key of a merchant or an organisation sees ' +
            'what is its own.',
        },
        filters,
      ),
    },
    async (request, reply) => {
      const { apiKey } = request
      const { tenant } = apiKey
      const catalog = deps.catalogOf(tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      /** Last digits of the cards of a page, by token. */
      const last4 = new Map<string, string>()
      return answerList(request, reply, {
        filters,
        cursor: 'code',
        read: async (values, { limit, after }) => {
          const { merchant, terminal } = values
          const found = await cardsOf(tenant, values)
          const known = {
            merchant: merchant === null ? null : (catalog.merchantsByCode.get(merchant)?.id ?? 0),
            terminal: terminal === null ? null : (catalog.terminalsByCode.get(terminal)?.id ?? 0),
          }
          const filter: TransactionFilter = {
            merchants: known.merchant === null ? merchantsOf(apiKey, catalog) : seen(known.merchant, apiKey, catalog),
            terminal: known.terminal,
            phase: values.phase,
            reference: values.reference,
            rrn: values.rrn,
            from: values.from,
            to: values.to,
            cards: found,
            holder: values.cardholder,
            reason: values.reason,
            minAmount: values.minAmount,
            maxAmount: values.maxAmount,
            funder: apiKey.organisation,
          }
          const page = await deps.reads.transactions({
            tenant,
            filter,
            limit,
            // A cursor that is none finds nothing.
            before: after === null ? null : (parseTransactionId(after) ?? 0),
            merchantsOfTenant: [...catalog.merchantsById.keys()],
            today: dayOfMicros(deps.now()),
          })
          const tokens = [...new Set(page.items.map(({ transaction }) => transaction.card))]
          for (const [token, digits] of await cards.last4Of(tenant, tokens)) last4.set(token, digits)
          return { items: page.items, next: page.before === null ? null : formatTransactionId(page.before) }
        },
        render: view => bodyOf(view, last4, catalog),
        columns: columnsOf(FoundTransaction),
        name: 'transactions',
      })
    },
  )

  /** Tokens of the cards that are meant; null: any. */
  const cardsOf = async (
    tenant: number,
    { card, last4 }: { readonly card: number | null; readonly last4: string | null },
  ): Promise<string[] | null> => {
    if (card !== null) {
      const found = await cards.card(tenant, card, null)
      return found === null || (last4 !== null && found.last4 !== last4) ? [] : [found.token]
    }
    if (last4 === null) return null
    const filter = { holder: null, last4, status: null, token: null, funder: null }
    const tokens: string[] = []
    for (let after: string | null = null; ; ) {
      const page = await cards.cards(tenant, filter, { limit: listLimits.max, after })
      tokens.push(...page.items.map(({ token }) => token))
      if (page.next === null) return tokens
      after = page.next
    }
  }
}

/** Null: all. */
const merchantsOf = ({ merchants }: ApiKey, { merchantsByCode }: Catalog): number[] | null =>
  merchants === '*' ? null : merchants.flatMap(code => merchantsByCode.get(code)?.id ?? [])

const seen = (merchant: number, apiKey: ApiKey, { merchantsById }: Catalog): number[] =>
  speaksFor(apiKey, merchantsById.get(merchant)?.code ?? '') ? [merchant] : []

function bodyOf({ transaction, isSettled }: TransactionView, last4: ReadonlyMap<string, string>, catalog: Catalog) {
  const { holder, card, reason } = transaction
  return {
    ...renderTransaction(transaction, isSettled, catalog),
    cardholder: holder === null ? null : String(holder),
    cardLast4: last4.get(card) ?? null,
    message: reasons[reason].en,
  }
}
