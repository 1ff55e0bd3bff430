import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Change, Changed } from '../../../core/admin.ts'
import type { ApprovalAnswer } from '../../../core/approvals.ts'
import { dateOfDay } from '../../../core/calendar.ts'
import type { Catalog } from '../../../core/catalog.ts'
import {
  type LoadLine,
  type LoadList,
  lineStates,
  listSources,
  listStates,
  percentageOf,
  secondsLeftOf,
} from '../../../core/load-lists.ts'
import { lineReasons } from '../../../core/load-rows.ts'
import { type Reason, reasons } from '../../../core/reasons.ts'
import { toJsonAmount } from '../../amounts.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import { type InFlight, readKey } from '../../idempotency.ts'
import { sendProblem } from '../../problem.ts'
import { rfc3339 } from '../../times.ts'
import { carriedRefusal, type Executor, waitsForSecond } from '../approvals.ts'
import { actorOf, allow, allowList, sendJson } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { actionDocs, createDocs, listDocs, readDocs, startDocs } from '../docs.ts'
import { answerCreate, etagOf, sendItem } from '../items.ts'
import { answerList, id as idFilter, oneOf, parseId } from '../lists.ts'
import { fileBytesMax, readUpload, uploadParameters, xlsxType } from '../load-file-upload.ts'
import { IdParams } from '../schemas/common.ts'
import { LoadFileBody, LoadFileList, LoadFileStarted, LoadLineBody, LoadLineList } from '../schemas/load-files.ts'

const tag = 'Load files'
const filters = {
  state: oneOf('Only these.', listStates),
  source: oneOf('Only where they come from.', listSources),
  schedule: idFilter('Only of this schedule.'),
}
const lineFilters = { state: oneOf('Only these.', lineStates) }

/** Files are big: so few are read at once that memory is no question. */
const uploadsMax = 2

const fileTypes = ['text/csv', xlsxType, 'application/octet-stream']
const fileTypeDetail = 'The body must be a CSV or XLSX file.'
const fileTypeWrong = { field: 'Content-Type', message: `must be text/csv or ${xlsxType}` }

/** Loads of many at once: a file is checked when it is sent, and run when that is asked for. */
export function addLoadFileRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { loads } = deps.admin
  let uploads = 0
  const render = (catalog: Catalog | undefined) => (list: LoadList) => loadFileBody(list, catalog)

  // A room of its own: only this call takes files.
  app.register(async files => {
    files.removeAllContentTypeParsers()
    files.addContentTypeParser(fileTypes, { parseAs: 'buffer', bodyLimit: fileBytesMax }, (_request, body, done) =>
      done(null, body),
    )
    const mayUpload = allowList('loads:write', deps)
    files.post(
      '/admin/v1/load-files',
      {
        bodyLimit: fileBytesMax,
        onRequest: [
          mayUpload,
          (request, reply, done) => {
            const [type = ''] = (request.headers['content-type'] ?? '').split(';', 1)
            if (fileTypes.includes(type.trim().toLowerCase())) return done()
            sendProblem(reply, { reason: 'media_type_unsupported', errors: [fileTypeWrong], detail: fileTypeDetail })
          },
          (_request, reply, done) => {
            if (uploads >= uploadsMax) {
              sendProblem(reply, { reason: 'switch_busy' })
              return
            }
            uploads += 1
            reply.raw.once('close', () => {
              uploads -= 1
            })
            done()
          },
        ],
        schema: { response: { 201: LoadFileBody } },
        config: createDocs({
          operationId: 'createLoadFile',
          tag,
          summary: 'Send a file of loads, and have it checked',
          description:
            'CSV or XLSX, up to 20 MB and 100,000 lines, as the body. Nothing is loaded yet: the answer is a dry ' +
            'run, and each line has its verdict. The same file under the same reference is refused.',
          reasons: ['file_known'],
          fileTypes,
          parameters: Object.entries(uploadParameters).map(([name, description]) => ({
            name,
            in: 'query',
            required: false,
            description,
            schema: { type: 'string' },
          })),
        }),
      },
      async (request, reply) => {
        const catalog = deps.catalogOf(request.apiKey.tenant)
        if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
        const key = readKey(request)
        if ('refusal' in key) return sendProblem(reply, key.refusal)
        const read = await readUpload(request, catalog, deps)
        if ('refusal' in read) return sendProblem(reply, read.refusal)
        const { list } = read
        return answerCreate(
          { request, reply, deps, inFlight },
          {
            names: ['file', 'program', 'funder', 'expiresAt', 'reason'],
            content: { ...list, file: list.hash },
            render: render(catalog),
          },
          creation => loads.createList(creation, list, request.apiKey.organisation),
        )
      },
    )
  })

  const find = async ({ apiKey, params }: FastifyRequest): Promise<LoadList | null> => {
    const id = parseId((params as { id: string }).id)
    return id === null ? null : loads.list(apiKey.tenant, id, apiKey.organisation)
  }

  app.get(
    '/admin/v1/load-files',
    {
      onRequest: allowList('loads:read', deps),
      schema: { response: { 200: LoadFileList } },
      config: listDocs(
        {
          operationId: 'listLoadFiles',
          tag,
          summary: 'List load files',
          description: 'The newest first: also the periods of schedules, and the loads of voucher series.',
        },
        filters,
      ),
    },
    async (request, reply) => {
      const { tenant, organisation: only } = request.apiKey
      return answerList(request, reply, {
        filters,
        cursor: 'id',
        read: (filter, page) => loads.lists(tenant, { ...filter, only }, page),
        render: render(deps.catalogOf(tenant)),
        columns: columnsOf(LoadFileBody),
        name: 'load-files',
      })
    },
  )

  app.get(
    '/admin/v1/load-files/:id',
    {
      onRequest: allow('loads:read', deps),
      schema: { params: IdParams, response: { 200: LoadFileBody } },
      config: readDocs({
        operationId: 'getLoadFile',
        tag,
        summary: 'Read a load file',
        description: 'Its dry run; once it runs, how far it has come.',
      }),
    },
    async (request, reply) => sendItem(reply, await find(request), render(deps.catalogOf(request.apiKey.tenant))),
  )

  app.get(
    '/admin/v1/load-files/:id/lines',
    {
      onRequest: allowList('loads:read', deps),
      schema: { params: IdParams, response: { 200: LoadLineList } },
      config: listDocs(
        {
          operationId: 'listLoadFileLines',
          tag,
          summary: 'List the lines of a load file',
          description: 'Each with its verdict, and once it is done with its lot.',
        },
        lineFilters,
      ),
    },
    async (request, reply) => {
      const list = await find(request)
      if (list === null) return sendProblem(reply, { reason: 'not_found' })
      const { tenant } = request.apiKey
      const catalog = deps.catalogOf(tenant)
      return answerList(request, reply, {
        filters: lineFilters,
        cursor: 'id',
        read: ({ state }, page) => loads.lines(tenant, list.id, state, page),
        render: (line: LoadLine) => lineBody(line, catalog),
        columns: columnsOf(LoadLineBody),
        name: `load-file-${list.id}-lines`,
      })
    },
  )

  const act = async (
    request: FastifyRequest,
    reply: FastifyReply,
    status: 200 | 202,
    change: (change: Change<LoadList>, id: number, only: number | null) => Promise<Changed<LoadList>>,
  ): Promise<FastifyReply> => {
    const key = readKey(request)
    if ('refusal' in key) return sendProblem(reply, key.refusal)
    const list = await find(request)
    if (list === null) return sendProblem(reply, { reason: 'not_found' })
    const renderHere = render(deps.catalogOf(request.apiKey.tenant))
    const asked = {
      actor: actorOf(request),
      version: null,
      bodyOf: (item: LoadList) => JSON.stringify(renderHere(item)),
    }
    const changed = await change(asked, list.id, request.apiKey.organisation)
    if (changed.kind === 'refused') return sendProblem(reply, changed)
    if (changed.kind !== 'changed') return sendProblem(reply, { reason: 'not_found' })
    return sendJson(reply.header('ETag', etagOf(changed.item.version)), status, renderHere(changed.item))
  }
  const onRequest = allow('loads:write', deps)
  const schema = { params: IdParams, response: { 200: LoadFileBody } }

  app.post(
    '/admin/v1/load-files/:id/check',
    {
      onRequest,
      schema,
      config: actionDocs({
        operationId: 'checkLoadFile',
        tag,
        summary: 'Check a load file again',
        description: 'For a file that has not run: as holders, programs and contracts stand now.',
      }),
    },
    async (request, reply) => act(request, reply, 200, loads.checkList),
  )

  app.post(
    '/admin/v1/load-files/:id/cancel',
    {
      onRequest,
      schema,
      config: actionDocs({
        operationId: 'cancelLoadFile',
        tag,
        summary: 'Give up a load file',
        description: 'One that has not run. The same file may then be sent again.',
      }),
    },
    async (request, reply) => act(request, reply, 200, loads.cancelList),
  )

  app.post(
    '/admin/v1/load-files/:id/run',
    {
      onRequest,
      schema: { params: IdParams, response: { 202: LoadFileStarted } },
      config: startDocs({
        operationId: 'runLoadFile',
        tag,
        summary: 'Run a load file',
        description:
          'Loads its accepted lines, each once however often this is asked for. A file beyond the threshold of ' +
          'four eyes waits for a second person: then the answer is an approval, which has a `status`.',
      }),
    },
    async (request, reply) => {
      const list = await find(request)
      if (list === null) return sendProblem(reply, { reason: 'not_found' })
      if (list.state === 'checked') {
        const call = { request, reply, deps, inFlight }
        const wanted = { loadFile: String(list.id), version: list.version, total: toJsonAmount(list.total) }
        const wish = { kind: 'list', amount: list.total, request: wanted, names: [] } as const
        if (await waitsForSecond(call, wish)) return reply
      }
      // As it was when four eyes looked at its total: checked again meanwhile, it may come to more.
      return act(request, reply, 202, (change, id, only) => loads.runList(change, id, only, list.version))
    },
  )
}

/** Starts a list that a second person has approved: as it was then, not as it was checked again since. */
export const runApprovedList: Executor = async ({ id: approval, request, approver }, { deps }) => {
  const { loadFile, version = null } = request as { loadFile: string; version?: number }
  const id = parseId(loadFile) ?? 0
  const bodyOf = (list: LoadList): object => loadFileBody(list, deps.catalogOf(approver.tenant))
  const answerOf = (list: LoadList): ApprovalAnswer => ({ status: 202, body: bodyOf(list) })
  const agreed = { approval, answerOf }
  const change = { actor: approver, version: null, bodyOf: (list: LoadList) => JSON.stringify(bodyOf(list)), agreed }
  const changed = await deps.admin.loads.runList(change, id, null, version)
  if (changed.kind === 'changed') return answerOf(changed.item)
  return carriedRefusal(changed.kind === 'refused' ? changed : { reason: 'not_found' })
}

export const loadFileBody = (list: LoadList, catalog: Catalog | undefined) => ({
  id: String(list.id),
  kind: list.kind,
  source: list.source,
  state: list.state,
  name: list.name,
  program: catalog?.programsById.get(list.program ?? 0)?.code ?? null,
  funder: catalog?.fundersById.get(list.funder ?? 0)?.code ?? null,
  expiresAt: timeOf(list.expiresAt),
  reason: list.reason,
  reference: list.reference,
  ignoredColumns: list.ignored,
  lines: list.lines,
  accepted: list.accepted,
  rejected: list.rejected,
  total: toJsonAmount(list.total),
  done: list.done,
  loaded: list.loaded,
  loadedTotal: toJsonAmount(list.loadedTotal),
  percentage: percentageOf(list),
  secondsLeft: secondsLeftOf(list),
  schedule: textOf(list.schedule),
  period: list.period === null ? null : dateOfDay(list.period),
  voucherSeries: textOf(list.series),
  createdBy: list.actor,
  createdAt: rfc3339(list.madeAt),
  checkedAt: timeOf(list.checkedAt),
  startedAt: timeOf(list.runAt),
  finishedAt: timeOf(list.finishedAt),
  version: list.version,
})

const timeOf = (at: number | null): string | null => (at === null ? null : rfc3339(at))
const textOf = (id: number | null): string | null => (id === null ? null : String(id))

const lineBody = (line: LoadLine, catalog: Catalog | undefined) => ({
  line: line.line,
  state: line.state,
  cardholder: textOf(line.holder),
  identifier: line.shown,
  program: catalog?.programsById.get(line.program ?? 0)?.code ?? null,
  funder: catalog?.fundersById.get(line.funder ?? 0)?.code ?? null,
  amount: line.amount === null ? null : toJsonAmount(line.amount),
  lot: textOf(line.lot),
  field: line.field,
  reason: line.reason,
  message: line.reason === null ? null : sentenceOf(line.reason),
})

const sentenceOf = (reason: NonNullable<LoadLine['reason']>): string =>
  Object.hasOwn(lineReasons, reason) ? lineReasons[reason as keyof typeof lineReasons] : reasons[reason as Reason].en
