import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHttp, type TestApp } from '../../test/support/http.ts'
import { memoryEngine } from '../../test/support/memory-engine.ts'
import { moveReasons } from '../core/move-reasons.ts'
import type { Reason } from '../core/reasons.ts'

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly { name: string; in: string; required: boolean }[]
  readonly requestBody?: { required: boolean }
  readonly responses: Readonly<Record<string, { description: string; content: Record<string, object> }>>
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Record<string, Operation>>>
  readonly components: { readonly schemas: Record<string, object> }
}

interface Described {
  readonly content: Readonly<Record<string, { schema: { anyOf: readonly { required: readonly string[] }[] } }>>
}

let http: TestApp
let document: Document
beforeAll(async () => {
  http = await startHttp(memoryEngine())
  document = (await http.call('GET', '/openapi.json', { key: null })).json
})
afterAll(() => http.close())

describe('every call of the contract', () => {
  test.each([
    // method, path, success, takes a key, needs a body
    ['post', '/v1/transactions', ['201'], true, true],
    ['get', '/v1/transactions', ['200'], false, undefined],
    ['get', '/v1/transactions/{id}', ['200'], false, undefined],
    ['post', '/v1/transactions/{id}/confirm', ['200'], true, false],
    ['post', '/v1/transactions/{id}/reverse', ['200'], true, false],
    ['post', '/v1/transactions/{id}/refund', ['201'], true, false],
    ['post', '/v1/reversals', ['200'], true, true],
    ['post', '/v1/balance-inquiries', ['200'], false, true],
    ['post', '/v1/settlements', ['200', '201'], true, false],
    ['get', '/v1/settlements/{id}', ['200'], false, undefined],
    ['get', '/v1/settlements/{id}/lines.csv', ['200'], false, undefined],
  ])('%s %s', (method, path, success, keyed, body) => {
    const operation = document.paths[path]?.[method] as Operation
    expect(operation.summary).toMatch(/^[A-Z]/)
    expect(operation.requestBody?.required).toBe(body)
    const names = operation.parameters?.filter(({ required }) => required).map(({ name }) => name) ?? []
    expect(names.includes('Idempotency-Key')).toBe(keyed)
    expect(names.includes('id')).toBe(path.includes('{id}'))
    const statuses = Object.keys(operation.responses)
    expect(statuses.filter(status => status.startsWith('2'))).toEqual(success)
    expect(statuses).toEqual(expect.arrayContaining(['400', '401', '403', '500', '503']))
    expect(statuses.includes('422') && statuses.includes('504')).toBe(keyed)
    expect(statuses.includes('413') && statuses.includes('415')).toBe(body !== undefined)
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      expect(description).not.toBe('Default Response')
      if (!status.startsWith('2')) expect(Object.keys(content)).toEqual(['application/problem+json'])
    }
  })

  test('and no other but those of the admin API', () => {
    const calls = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map(m => m + path))
    expect(calls.filter(call => !call.includes('/admin/v1/')).length).toBe(11)
    const operations = Object.values(document.paths).flatMap(methods => Object.values(methods))
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(calls.length)
  })
})

describe('every call of the admin API', () => {
  const routes = () => http.app.known.filter(({ method, url }) => url.startsWith('/admin/') && method !== 'HEAD')

  test('is described, with what it needs', () => {
    expect(routes().length).toBeGreaterThan(30)
    for (const { method, url } of routes()) {
      const path = url.replaceAll(/:(\w+)/g, '{$1}')
      const operation = document.paths[path]?.[method.toLowerCase()]
      expect(operation?.summary, `${method} ${url}`).toMatch(/^[A-Z]/)
      const names = operation?.parameters?.filter(({ required }) => required).map(({ name }) => name) ?? []
      expect(names.includes('If-Match'), url).toBe(method === 'PATCH')
      for (const [, name] of url.matchAll(/:(\w+)/g)) expect(names, url).toContain(name)
      const statuses = Object.keys(operation?.responses ?? {})
      expect(statuses.some(status => status.startsWith('2'))).toBe(true)
      expect(statuses, url).toEqual(expect.arrayContaining(['400', '401', '403', '500', '503']))
      for (const [status, { content }] of Object.entries(operation?.responses ?? {})) {
        expect(content !== undefined, `${method} ${url} ${status}`).toBe(status !== '204')
      }
    }
  })

  test.each([
    // path, kind of move, what no call of it asks of the engine: an amount of zero, or what has been looked up before
    ['loads', 'load', ['amount_invalid', 'organisation_unknown']],
    ['clawbacks', 'clawback', ['amount_invalid']],
    ['adjustments', 'adjust', ['amount_invalid']],
    ['transfers', 'transfer', ['amount_invalid']],
    ['organisations/{code}/deposits', 'deposit', ['amount_invalid', 'organisation_unknown']],
    ['gift-cards/{id}/activate', 'load', ['amount_invalid', 'organisation_unknown']],
    ['gift-cards/{id}/load', 'load', ['amount_invalid', 'organisation_unknown']],
    ['gift-cards/{id}/adjust', 'adjust', ['amount_invalid']],
    // Within a program nothing gets another expiry.
    ['gift-cards/{id}/merge', 'transfer', ['amount_invalid', 'credit_expired']],
  ] as const)('%s names each refusal of a %s by the engine', (path, kind, never) => {
    const described = Object.values(document.paths[`/admin/v1/${path}`]?.post?.responses ?? {})
    const named = described.map(({ description }) => description).join()
    const refusals: readonly Reason[] = moveReasons[kind]
    const missing = refusals.filter(reason => !named.includes(`\`${reason}\``))
    expect(missing.filter(reason => !(never as readonly Reason[]).includes(reason))).toEqual([])
  })
})

test('running a load file tells of the approval that it may wait for', () => {
  const started = document.paths['/admin/v1/load-files/{id}/run']?.post?.responses['202'] as Described | undefined
  const bodies = started?.content['application/json']?.schema.anyOf ?? []
  expect(bodies.map(({ required }) => [required.includes('status'), required.includes('state')])).toEqual([
    [false, true],
    [true, false],
  ])
})

test('every reference leads somewhere', () => {
  const names = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, name]) => name)
  expect(names.length).toBeGreaterThan(0)
  const known = Object.keys(document.components.schemas).map(name => `#/components/schemas/${name}`)
  expect(known).toEqual(expect.arrayContaining([...new Set(names)]))
})
