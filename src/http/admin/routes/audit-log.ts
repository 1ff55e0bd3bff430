import type { AuditLine } from '../../../core/admin.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import { rfc3339 } from '../../times.ts'
import { allowList } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { listDocs } from '../docs.ts'
import { answerList, id, text, time } from '../lists.ts'
import { AuditLineBody, AuditList } from '../schemas/setup.ts'

const filters = {
  entity: text('Only this kind of thing.'),
  entityId: text('Only the thing with this code or id.'),
  action: text('Only what was done so, such as `load` or `deposit`.'),
  actor: id('Only what the API key with this id did.'),
  from: time('At or after.'),
  to: time('Before.'),
}

/** Who changed what. Nothing can change it. */
export function addAuditLogRoutes(app: HttpApp, deps: HttpDeps): void {
  const { setup } = deps.admin

  app.get(
    '/admin/v1/audit-log',
    {
      onRequest: allowList('audit:read', deps),
      schema: { response: { 200: AuditList } },
      config: listDocs(
        {
          operationId: 'listAuditLog',
          tag: 'Audit log',
          summary: 'Read who changed what',
          description: 'The newest first. Lines are only ever added.',
        },
        filters,
      ),
    },
    async (request, reply) =>
      answerList(request, reply, {
        filters,
        cursor: 'id',
        read: (filter, page) => setup.audit(request.apiKey.tenant, filter, page),
        render: bodyOf,
        columns: columnsOf(AuditLineBody),
        name: 'audit-log',
      }),
  )
}

const bodyOf = ({ id, at, apiKey, actor, action, entity, entityId, before, after }: AuditLine) => ({
  id: String(id),
  at: rfc3339(at),
  apiKey: String(apiKey),
  actor,
  action,
  entity,
  entityId,
  before: before === null ? null : JSON.parse(before),
  after: after === null ? null : JSON.parse(after),
})
