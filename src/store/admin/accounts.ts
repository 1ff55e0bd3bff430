import type { Actor } from '../../core/admin.ts'
import { writeAudit } from './audit-log.ts'
import type { AdminPool } from './pool.ts'

/** Freezes what a holder has in a program, or releases it, under the lock of the holder. */
export function freezeAccount(
  pool: AdminPool,
  actor: Actor,
  account: { readonly holder: number; readonly program: number; readonly code: string },
  isFrozen: boolean,
  reason: string | null,
): Promise<{ readonly kind: 'changed' } | { readonly kind: 'not_found' }> {
  const { holder, program, code } = account
  return pool.transaction(async (run): Promise<{ kind: 'changed' } | { kind: 'not_found' }> => {
    await run('SELECT FROM cardholders WHERE tenant = $1 AND id = $2 FOR NO KEY UPDATE', [actor.tenant, holder])
    const lots = await run('SELECT status FROM lots WHERE tenant = $1 AND holder = $2 AND program = $3', [
      actor.tenant,
      holder,
      program,
    ])
    if (lots.length === 0) return { kind: 'not_found' }
    const status = isFrozen ? 1 : 0
    if (lots.every(lot => lot.status === String(status))) return { kind: 'changed' }
    await run('UPDATE lots SET status = $4 WHERE tenant = $1 AND holder = $2 AND program = $3', [
      actor.tenant,
      holder,
      program,
      status,
    ])
    await writeAudit(run, actor, {
      action: isFrozen ? 'freeze' : 'release',
      entity: 'account',
      entityId: `${holder}/${code}`,
      before: JSON.stringify({ isFrozen: !isFrozen }),
      after: JSON.stringify({ isFrozen, reason }),
    })
    return { kind: 'changed' }
  })
}
