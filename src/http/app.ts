import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { LogController } from 'fastify'
import { addAdminRoutes } from './admin/routes.ts'
import { CodeAttempts } from './code-attempts.ts'
import type { HttpApp, HttpDeps } from './deps.ts'
import { answerClientError, answerUnroutable, handleErrors } from './errors.ts'
import { mustKeyword } from './field-errors.ts'
import { InFlight } from './idempotency.ts'
import { useExactJson } from './json-body.ts'
import { limits } from './limits.ts'
import { describeApi } from './openapi.ts'
import { addBalanceRoutes } from './routes/balances.ts'
import { addOperationRoutes } from './routes/operations.ts'
import { addReadRoutes } from './routes/reads.ts'
import { addSettlementRoutes } from './routes/settlements.ts'
import { addTransactionRoutes } from './routes/transactions.ts'
import { Problem, Settlement } from './schemas/others.ts'
import { Transaction } from './schemas/transactions.ts'

/** The HTTP edge, ready to `listen`. Closing it answers what is in flight and takes no more. */
export async function createHttpApp(deps: HttpDeps): Promise<HttpApp> {
  const app: HttpApp = fastify({
    logger: false,
    // Requests are told apart by their transactions and keys.
    genReqId: () => '',
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionTimeout: limits.connectionTimeoutMs,
    http: { maxHeaderSize: limits.headerBytesMax, headersTimeout: limits.headersTimeoutMs },
    routerOptions: { maxParamLength: limits.pathParamLengthMax },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: answerUnroutable,
    ajv: {
      customOptions: {
        // Nothing is guessed: a text is no number, and a field that is not known is refused, not dropped.
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        // Bodies are small and flat, so that all of their errors may be told at once.
        allErrors: true,
        verbose: true,
        keywords: [mustKeyword],
      },
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.server.maxConnections = limits.connectionsMax
  app.server.maxHeadersCount = limits.headersMax

  app.decorateReply('refusal', null)
  handleErrors(app, deps)
  useExactJson(app)
  watch(app, deps)
  for (const schema of [Transaction, Settlement, Problem]) app.addSchema(schema)
  await describeApi(app, deps.version)

  const inFlight = new InFlight()
  const attempts = new CodeAttempts(deps.now)
  addTransactionRoutes(app, deps, inFlight, attempts)
  addReadRoutes(app, deps)
  addBalanceRoutes(app, deps, attempts)
  addSettlementRoutes(app, deps, inFlight)
  addOperationRoutes(app, deps)
  // What these add to each request of theirs, payments need not pass.
  await app.register(async admin => addAdminRoutes(admin, deps, inFlight))
  return app
}

/** One hook for all that is told of a request: its metrics, and one log line for a refusal that is not stored. */
function watch(app: HttpApp, { observer, logger }: HttpDeps): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown'
    const { method } = request
    const { statusCode: status, elapsedTime: elapsedMs, refusal } = reply
    observer.onResponse({ method, route, status, elapsedMs })
    if (refusal !== null) {
      const { reason, errors } = refusal
      const fields = errors?.map(({ field }) => field)
      logger.info({ method, route, status, reason, fields, client: request.apiKey?.id, elapsedMs }, 'refused')
    }
    done()
  })
}
