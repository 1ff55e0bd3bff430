import { type Static, Type } from 'typebox'
import { frameLengthKinds } from '../codec/framing.ts'

const closed = { additionalProperties: false } as const
const code = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^[!-~]+$' })
const name = Type.String({ minLength: 1, maxLength: 200 })
const port = Type.Integer({ minimum: 0, maximum: 65_535 })

/** How messages are authenticated: DE64, or DE128 where a later element is present. */
const macSchema = Type.Object(
  {
    algorithm: Type.Union([Type.Literal('retail'), Type.Literal('tdes-cbc'), Type.Literal('aes-cmac')]),
    /** Of ISO 9797-1; AES-CMAC has its own. */
    padding: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(3)])),
    /** Bytes of the MAC that are sent: the leftmost. */
    length: Type.Optional(Type.Union([Type.Literal(4), Type.Literal(8)])),
    /** The MAC key of the terminal in DE41, or one of the listener. */
    keys: Type.Union([Type.Literal('terminal'), Type.Literal('listener')]),
    /** Refuse what has none (0800 excepted). */
    required: Type.Optional(Type.Boolean()),
  },
  closed,
)

const element = (least: number) => Type.Integer({ minimum: least, maximum: 127 })

/** How PIN blocks are read. */
const pinSchema = Type.Object(
  {
    keys: Type.Union([
      Type.Literal('terminal'),
      Type.Literal('listener'),
      Type.Literal('dukpt-tdes'),
      Type.Literal('dukpt-aes'),
    ]),
    /** ISO 9564-1. */
    format: Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(3), Type.Literal(4)]),
    /** Where the PIN block is (DE52). */
    element: Type.Optional(element(2)),
    /** Where the key serial number of DUKPT is (DE53). */
    ksnElement: Type.Optional(element(2)),
    required: Type.Optional(Type.Boolean()),
  },
  closed,
)

const keyExchangeSchema = Type.Object(
  {
    /** The element of the answer that has the key blocks (DE48). */
    element: Type.Optional(element(2)),
    /** How long the keys before are still taken (3600). */
    overlapSeconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 2_678_400 })),
  },
  closed,
)

/** Every message of the listener, masked, for as long as a fault is looked for. */
const frameLogSchema = Type.Object(
  {
    /** In the data folder. */
    file: Type.String({ pattern: '^[A-Za-z0-9_-][A-Za-z0-9_.-]*$' }),
    /** Of it and the file before it together. */
    bytesMax: Type.Integer({ minimum: 65_536, maximum: 10_737_418_240 }),
  },
  closed,
)

/** PEM files, from this folder on. The key's must be readable by its owner alone. */
const tlsSchema = Type.Object(
  {
    certFile: Type.String({ minLength: 1 }),
    keyFile: Type.String({ minLength: 1 }),
    /** With it, terminals must show a certificate that one of these has signed. */
    clientCaFile: Type.Optional(Type.String({ minLength: 1 })),
  },
  closed,
)

export const listenerSchema = Type.Object(
  {
    name: code(40),
    host: Type.Optional(Type.String({ minLength: 1 })),
    port,
    framing: Type.Object(
      {
        length: Type.Union(frameLengthKinds.map(kind => Type.Literal(kind))),
        inclusive: Type.Optional(Type.Boolean()),
        tpdu: Type.Optional(Type.Boolean()),
        frameBytesMax: Type.Optional(Type.Integer({ minimum: 64, maximum: 65_535 })),
      },
      closed,
    ),
    /** A name in `dialects/`. */
    dialect: Type.String({ pattern: '^[a-z0-9_-]+$' }),
    /** A tenant's code, or the tenant of each acquiring institution (DE32). */
    tenant: Type.Union([code(40), Type.Record(Type.String({ pattern: '^[0-9]{1,11}$' }), code(40))]),
    identity: Type.Optional(Type.Union([Type.Literal('transmission'), Type.Literal('local')])),
    mac: Type.Optional(macSchema),
    pin: Type.Optional(pinSchema),
    tls: Type.Optional(tlsSchema),
    /** `required`: 0800 with DE70 001 comes before anything else on a connection. */
    signOn: Type.Optional(Type.Union([Type.Literal('required'), Type.Literal('free')])),
    /** New session keys by 0800 with DE70 101, under the terminal's master key. */
    keyExchange: Type.Optional(keyExchangeSchema),
    frameLog: Type.Optional(frameLogSchema),
    /** The switch sends 0800 with DE70 301 to a peer that says nothing for so long. */
    echoEveryMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 3_600_000 })),
  },
  closed,
)

/** `switch-config/switch.json`. */
export const switchSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    http: Type.Object({ host: Type.String({ minLength: 1 }), port }, closed),
    listeners: Type.Array(listenerSchema, { minItems: 1 }),
    engine: Type.Object(
      {
        lanes: Type.Integer({ minimum: 1, maximum: 64 }),
        batchMax: Type.Integer({ minimum: 1, maximum: 4096 }),
        queueMax: Type.Integer({ minimum: 1, maximum: 65_536 }),
      },
      closed,
    ),
    /** A file beside this one with the demo tenant. */
    demo: Type.Optional(Type.String({ pattern: '^[a-z0-9_-]+\\.json$' })),
  },
  closed,
)

/** The demo tenant: made on the first start with the embedded PostgreSQL. */
export const demoSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    code: code(40),
    name,
    timeZone: Type.String({ minLength: 1 }),
    cutOverSeconds: Type.Integer({ minimum: 0, maximum: 86_399 }),
    calendar: Type.Optional(Type.Union([Type.Literal('gregorian'), Type.Literal('persian')])),
    currency: Type.Object(
      {
        code: code(8),
        numeric: Type.String({ pattern: '^[0-9]{3}$' }),
        scale: Type.Integer({ minimum: 0, maximum: 8 }),
      },
      closed,
    ),
    organisations: Type.Array(Type.Object({ code: code(40), name }, closed), { minItems: 1 }),
    programs: Type.Array(
      Type.Object(
        {
          code: code(40),
          kind: Type.Union(['credit', 'welfare', 'gift', 'voucher'].map(kind => Type.Literal(kind))),
          terms: Type.Optional(Type.Unknown({ description: 'Where, when and how much: see docs/programs.md' })),
        },
        closed,
      ),
      { minItems: 1 },
    ),
    merchants: Type.Array(
      Type.Object(
        {
          code: code(15),
          name,
          terminals: Type.Array(
            Type.Object(
              {
                code: code(8),
                confirmation: Type.Union([Type.Literal('explicit'), Type.Literal('implicit')]),
                partial: Type.Boolean(),
              },
              closed,
            ),
          ),
        },
        closed,
      ),
      { minItems: 1 },
    ),
    /** Known to everybody, so they are taken only in demo mode, on loopback. */
    apiKeys: Type.Array(
      Type.Object(
        { key: code(200), label: name, scopes: Type.Array(code(40)), merchants: Type.Array(code(15)) },
        closed,
      ),
    ),
    /** Card numbers are the BIN, a running number of 9 digits from 1 and a Luhn digit. */
    cards: Type.Object(
      { bin: Type.String({ pattern: '^[0-9]{6}$' }), count: Type.Integer({ minimum: 1, maximum: 1_000_000 }) },
      closed,
    ),
    loads: Type.Array(
      Type.Object(
        {
          program: code(40),
          funder: code(40),
          /** Of the cards in their order: from this one, from 1 if it is left out. */
          fromCard: Type.Optional(Type.Integer({ minimum: 1 })),
          toCard: Type.Integer({ minimum: 1 }),
          /** Minor units, as digits. */
          amount: Type.String({ pattern: '^[1-9][0-9]{0,17}$' }),
        },
        closed,
      ),
    ),
  },
  closed,
)

export type SwitchFile = Static<typeof switchSchema>
export type DemoTenant = Static<typeof demoSchema>
