import type { LoadResult } from '../../src/load/spec.ts'

/** From the load process to the harness, in this order; `tick` twice a second from the start. */
export type LoadNews =
  | { readonly news: 'tick'; readonly messages: number; readonly isWarm: boolean }
  | { readonly news: 'measuring' }
  | { readonly news: 'measured' }
  | { readonly news: 'done'; readonly result: LoadResult }
  | { readonly news: 'failed'; readonly error: string }
