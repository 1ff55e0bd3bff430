import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Change, Changed, Created, Creation } from '../../core/admin.ts'
import { differingField } from '../../core/content.ts'
import { otherContent } from '../answer.ts'
import { contentNames, fingerprintOf, readKey, replayedHeader } from '../idempotency.ts'
import { type Refusal, sendProblem } from '../problem.ts'
import { actorOf, type Call, sendJson } from './call.ts'

/** Renders an item: what is answered, stored for repeats and logged. It must have no secret in it. */
export type Render<Item> = (item: Item) => object

/** The fields of a body as a fingerprint has them, in the order of the call's list of names. */
export const fieldsOf = (body: object, names: readonly string[]): (string | null)[] =>
  names.map(name => {
    const value = (body as Readonly<Record<string, unknown>>)[name]
    return value === undefined ? null : JSON.stringify(value)
  })

/** Method and path of a request, without its query. */
export const callOf = ({ method, url }: FastifyRequest): string => `${method} ${url.split('?', 1)[0]}`

/**
 * Makes something once for its Idempotency-Key. `names`: the fields of the body in an order that never changes, for
 * stored fingerprints depend on it. `extra`: fields of the answer that are told only the first time, such as a secret.
 * `content`: the body as it may be fingerprinted, where it has a secret in it.
 */
export async function answerCreate<Item>(
  { request, reply, deps, inFlight }: Call,
  {
    names,
    render,
    extra = {},
    content: given = request.body as object,
  }: { names: readonly string[]; render: Render<Item>; extra?: object; content?: object },
  create: (creation: Creation<Item>) => Promise<Created>,
): Promise<FastifyReply> {
  const read = readKey(request)
  if ('refusal' in read) return sendProblem(reply, read.refusal)
  const { key } = read
  const content = fingerprintOf(callOf(request), ...fieldsOf(given, names))
  if (!inFlight.enter(key)) return sendProblem(reply, { reason: 'in_progress' })
  try {
    const bodyOf = (item: Item): string => JSON.stringify(render(item))
    const created = await create({ actor: actorOf(request), key, content, bodyOf })
    if (created.kind === 'refused') return sendProblem(reply, created)
    if (created.kind === 'other_content') {
      return sendProblem(
        reply,
        otherContent(differingField(created.stored, content, contentNames(...names.map(pointer)))),
      )
    }
    const { replayed, status, version, body } = created
    if (replayed) reply.header(replayedHeader, 'true')
    else await deps.admin.refresh()
    if (version !== null) reply.header('ETag', etagOf(version))
    const isWhole = replayed || Object.keys(extra).length === 0
    return sendJson(reply, status, isWhole ? body : { ...JSON.parse(body), ...extra })
  } finally {
    inFlight.leave(key)
  }
}

/** The JSON pointer of a field of the body. */
const pointer = (name: string): string => `/${name}`

export const etagOf = (version: number): string => `"${version}"`

/** The version in If-Match, or why there is none. */
export function readIfMatch({ headers }: FastifyRequest): { version: number } | { refusal: Refusal } {
  const header = headers['if-match']
  if (header === undefined || header === '') {
    return { refusal: { reason: 'version_missing', errors: [{ field: 'If-Match', message: 'is required' }] } }
  }
  const [, digits] = /^"([1-9][0-9]{0,8})"$/.exec(header) ?? []
  if (digits !== undefined) return { version: Number.parseInt(digits, 10) }
  const message = 'must be the ETag of one version, such as "3"'
  return { refusal: { reason: 'format_invalid', errors: [{ field: 'If-Match', message }] } }
}

/** Changes something whose version the caller has seen (If-Match). */
export async function answerChange<Item extends { readonly version: number }>(
  { request, reply, deps }: Call,
  render: Render<Item>,
  change: (change: Change<Item>) => Promise<Changed<Item>>,
): Promise<FastifyReply> {
  const read = readIfMatch(request)
  if ('refusal' in read) return sendProblem(reply, read.refusal)
  const bodyOf = (item: Item): string => JSON.stringify(render(item))
  const changed = await change({ actor: actorOf(request), version: read.version, bodyOf })
  switch (changed.kind) {
    case 'changed':
      await deps.admin.refresh()
      return sendItem(reply, changed.item, render)
    case 'stale':
      return sendProblem(reply, {
        reason: 'version_mismatch',
        errors: [{ field: 'If-Match', message: 'is not the ETag of the present version' }],
      })
    case 'not_found':
      return sendProblem(reply, { reason: 'not_found' })
    case 'refused':
      return sendProblem(reply, changed)
  }
}

/** Answers one item with its ETag; 404 for null. */
export function sendItem<Item extends { readonly version: number }>(
  reply: FastifyReply,
  item: Item | null,
  render: Render<Item>,
): FastifyReply {
  if (item === null) return sendProblem(reply, { reason: 'not_found' })
  return sendJson(reply.header('ETag', etagOf(item.version)), 200, render(item))
}
