import type {
  Actor,
  AuditFilter,
  AuditLine,
  Change,
  Changed,
  Created,
  Creation,
  Page,
  PageRequest,
  Refused,
} from '../../core/admin.ts'
import type { Day } from '../../core/ids.ts'
import type { ApiKeyRecord, Holiday, NewApiKey, TenantPatch, TenantRecord } from '../../core/tenants.ts'

/** The tenant, its holidays and API keys, and who changed what. */
export interface SetupAdmin {
  tenant(tenant: number): Promise<TenantRecord | null>
  /** `isAgreed`: a second person has approved what asks for one; so too below. */
  changeTenant(change: Change<TenantRecord>, patch: TenantPatch, isAgreed: boolean): Promise<Changed<TenantRecord>>
  holidays(
    tenant: number,
    filter: { readonly from: Day | null; readonly to: Day | null },
    page: PageRequest,
  ): Promise<Page<Holiday>>
  /** `name` null: it is no holiday any more. `line`: for the audit log, as date and JSON texts. */
  setHoliday(
    actor: Actor,
    holiday: { readonly day: Day; readonly name: string | null },
    line: { readonly date: string; jsonOf(name: string): string },
    isAgreed: boolean,
  ): Promise<{ readonly kind: 'created' | 'changed' | 'not_found' } | Refused>
  apiKey(tenant: number, id: number): Promise<ApiKeyRecord | null>
  apiKeys(tenant: number, page: PageRequest): Promise<Page<ApiKeyRecord>>
  createApiKey(creation: Creation<ApiKeyRecord>, fields: NewApiKey): Promise<Created>
  disableApiKey(change: Change<ApiKeyRecord>, id: number): Promise<Changed<ApiKeyRecord>>
  /** The newest first. */
  audit(tenant: number, filter: AuditFilter, page: PageRequest): Promise<Page<AuditLine>>
}
