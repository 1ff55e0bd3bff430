import type { Change, Changed, Created, Creation, Page, PageRequest } from '../../core/admin.ts'
import type { NewOrganisation, Organisation, OrganisationPatch, Status } from '../../core/parties.ts'

/** Organisations, merchants and terminals. */
export interface PartiesAdmin {
  organisation(tenant: number, code: string): Promise<Organisation | null>
  /** `only`: the id of the one that the asker may see; null: all. */
  organisations(
    tenant: number,
    filter: { readonly only: number | null; readonly status: Status | null },
    page: PageRequest,
  ): Promise<Page<Organisation>>
  createOrganisation(creation: Creation<Organisation>, fields: NewOrganisation): Promise<Created>
  changeOrganisation(
    change: Change<Organisation>,
    code: string,
    patch: OrganisationPatch,
  ): Promise<Changed<Organisation>>
}
