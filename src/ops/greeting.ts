interface Greeting {
  readonly httpUrl: string
  readonly isoPorts: readonly number[]
  readonly isDemo: boolean
  readonly isEmbedded: boolean
}

/** What `npm start` prints: where the switch is, and what to try next. */
export function greeting({ httpUrl, isoPorts, isDemo, isEmbedded }: Greeting): string {
  const iso = isoPorts.join(', ')
  const facts = [
    '',
    'Charsu is running.',
    `  HTTP       ${httpUrl}   (${httpUrl}/docs)`,
    `  ISO 8583   port ${iso}`,
    `  database   ${isEmbedded ? 'embedded PostgreSQL' : 'yours (DATABASE_URL)'}`,
  ]
  const port = isoPorts[0] === 8583 ? '' : ` --port ${isoPorts[0]}`
  const tries = [
    '',
    'Try a first purchase, then look at it:',
    `  npx charsu terminal purchase --amount 150000${port}`,
    `  curl -s -H 'authorization: Bearer demo-pos-key' ${httpUrl}/v1/transactions`,
    'README.md has the same purchase by HTTP, and what to do next.',
  ]
  return `${[...facts, ...(isDemo ? tries : []), ''].join('\n')}\n`
}
