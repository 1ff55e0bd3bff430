import type { Run } from './run.ts'

export async function runScale(_run: Run): Promise<void> {}
