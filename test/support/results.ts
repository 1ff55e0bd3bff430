import type { Result } from '../../src/engine/result.ts'

export const decided = (result: Result): Extract<Result, { kind: 'decided' }> => {
  if (result.kind !== 'decided') throw new Error(`not decided: ${JSON.stringify(result)}`)
  return result
}
export const reasonOf = (result: Result): string => (result.kind === 'decided' ? result.decision.reason : result.kind)
export const idOf = (result: Result): number => decided(result).decision.transaction as number
export const countOf = (results: readonly Result[], reason: string): number =>
  results.filter(result => reasonOf(result) === reason).length
