import type { Catalog } from '../../../core/catalog.ts'
import { type ListedMovement, type MovementKind, movementKinds } from '../../../core/lot-movements.ts'
import { type EntryType, entryTypeOf } from '../../../core/statement.ts'
import { toJsonAmount } from '../../amounts.ts'
import { sees } from '../../api-keys.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import { sendProblem } from '../../problem.ts'
import { rfc3339 } from '../../times.ts'
import { allowList } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { listDocs } from '../docs.ts'
import { answerList, id, oneOf, text, time } from '../lists.ts'
import { MovementBody, MovementList, movementTypes } from '../schemas/movements.ts'

const filters = {
  type: oneOf('Only these.', movementTypes),
  funder: text('Only on lots that this organisation has funded.', 40),
  program: text('Only in this program.', 40),
  cardholder: id('Only of this holder.'),
  actor: text('Only what this one did: the label of an API key.', 200),
  from: time('Booked at or after.'),
  to: time('Booked before.'),
}

/** Loads, claw-backs, adjustments, transfers and breakage of all holders. */
export function addMovementRoutes(app: HttpApp, deps: HttpDeps): void {
  const { loads } = deps.admin

  app.get(
    '/admin/v1/movements',
    {
      onRequest: allowList('loads:read', deps),
      schema: { response: { 200: MovementList } },
      config: listDocs(
        {
          operationId: 'listMovements',
          tag: 'Reports',
          summary: 'List what moved value outside purchases',
          description:
            'Loads, claw-backs, adjustments, transfers and breakage: one for each lot, the newest first, with who ' +
            'did it and why. A page may be short, even empty, and still have a `nextCursor`: one call looks at ' +
            '20,000 of them at the most. The key of an organisation sees what is on lots that it has funded.',
        },
        filters,
      ),
    },
    async (request, reply) => {
      const { apiKey } = request
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      return answerList(request, reply, {
        filters,
        cursor: 'place',
        read: ({ type, funder, program, cardholder, ...rest }, page) => {
          const named = funder === null ? apiKey.organisation : funderOf(funder, catalog)
          return loads.allMovements(
            apiKey.tenant,
            {
              ...rest,
              kind: type === null ? null : kindOf(type),
              // What is not there, or may not be seen, has no movements.
              funder: named === null || sees(apiKey, named) ? named : 0,
              program: program === null ? null : programOf(program, catalog),
              holder: cardholder,
            },
            page,
          )
        },
        render: movement => movementBody(movement, catalog),
        columns: columnsOf(MovementBody),
        name: 'movements',
      })
    },
  )
}

const kindOf = (type: EntryType): MovementKind | null => movementKinds.find(kind => entryTypeOf(kind) === type) ?? null

const funderOf = (code: string, { fundersById }: Catalog): number =>
  [...fundersById.values()].find(one => one.code === code)?.id ?? 0

const programOf = (code: string, { programsById }: Catalog): number =>
  [...programsById.values()].find(one => one.code === code)?.id ?? 0

const movementBody = (movement: ListedMovement, { programsById, fundersById }: Catalog) => ({
  id: `${movement.batch}-${movement.index}`,
  at: rfc3339(movement.at),
  type: entryTypeOf(movement.kind),
  cardholder: String(movement.holder),
  program: programsById.get(movement.program)?.code ?? String(movement.program),
  funder: fundersById.get(movement.funder)?.code ?? String(movement.funder),
  lot: String(movement.lot),
  amount: toJsonAmount(movement.amount),
  balance: toJsonAmount(movement.balance),
  reason: movement.note.reason,
  reference: movement.note.reference,
  actor: movement.note.actor,
})
