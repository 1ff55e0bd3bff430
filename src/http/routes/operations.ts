import { authorizeFor } from '../auth.ts'
import type { HttpApp, HttpDeps } from '../deps.ts'

/** For operators and their machines. None of these answers tells anything of a tenant, the metrics least of all. */
export function addOperationRoutes(app: HttpApp, deps: HttpDeps): void {
  const hidden = { schema: { hide: true } } as const
  app.get('/livez', hidden, (_request, reply) => reply.send({ ok: true }))
  app.get('/readyz', hidden, (_request, reply) => {
    const readiness = deps.ready()
    return reply.code(readiness.ok ? 200 : 503).send(readiness)
  })
  app.get('/openapi.json', hidden, (_request, reply) => reply.send(app.swagger()))
  app.get(
    '/metrics',
    { ...hidden, onRequest: authorizeFor({ scopes: ['metrics', 'admin'], openOnLoopback: true }, deps) },
    async (_request, reply) =>
      reply.header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8').send(await deps.metricsText()),
  )
}
