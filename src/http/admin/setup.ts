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
import type { Agreed } from '../../core/approvals.ts'
import type { Day } from '../../core/ids.ts'
import type { ApiKeyRecord, Holiday, HolidaySet, NewApiKey, TenantPatch, TenantRecord } from '../../core/tenants.ts'

/** The tenant, its holidays and API keys, and who changed what. */
export interface SetupAdmin {
  tenant(tenant: number): Promise<TenantRecord | null>
  /**
   * `agreed`: a second person has approved what asks for one; so too below. Refused if it has been carried out.
   */
  changeTenant(
    change: Change<TenantRecord>,
    patch: TenantPatch,
    agreed: Agreed<TenantRecord> | null,
  ): Promise<Changed<TenantRecord>>
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
    agreed: Agreed<HolidaySet> | null,
  ): Promise<{ readonly kind: HolidaySet } | Refused>
  apiKey(tenant: number, id: number): Promise<ApiKeyRecord | null>
  apiKeys(tenant: number, page: PageRequest): Promise<Page<ApiKeyRecord>>
  createApiKey(creation: Creation<ApiKeyRecord>, fields: NewApiKey): Promise<Created>
  disableApiKey(change: Change<ApiKeyRecord>, id: number): Promise<Changed<ApiKeyRecord>>
  /** The newest first. */
  audit(tenant: number, filter: AuditFilter, page: PageRequest): Promise<Page<AuditLine>>
}
