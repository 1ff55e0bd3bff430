import type { Change, Changed, Created, Creation, Page, PageRequest } from '../../core/admin.ts'
import type {
  DepositFilter,
  DepositRecord,
  MerchantPatch,
  MerchantRecord,
  NewMerchant,
  NewOrganisation,
  NewTerminal,
  Organisation,
  OrganisationPatch,
  Status,
  TerminalPatch,
  TerminalRecord,
} from '../../core/parties.ts'

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
  /** Of one organisation, the newest first. */
  deposits(
    tenant: number,
    filter: DepositFilter & { readonly organisation: number },
    page: PageRequest,
  ): Promise<Page<DepositRecord>>

  merchant(tenant: number, code: string): Promise<MerchantRecord | null>
  /** `only`: codes of those that the asker may see; null: all. */
  merchants(
    tenant: number,
    filter: {
      readonly only: readonly string[] | null
      readonly status: Status | null
      readonly category: string | null
      readonly group: string | null
    },
    page: PageRequest,
  ): Promise<Page<MerchantRecord>>
  createMerchant(creation: Creation<MerchantRecord>, fields: NewMerchant): Promise<Created>
  changeMerchant(change: Change<MerchantRecord>, code: string, patch: MerchantPatch): Promise<Changed<MerchantRecord>>

  terminal(tenant: number, code: string): Promise<TerminalRecord | null>
  /** `only`: codes of the merchants that the asker may see; null: all. */
  terminals(
    tenant: number,
    filter: {
      readonly only: readonly string[] | null
      readonly merchant: string | null
      readonly status: Status | null
    },
    page: PageRequest,
  ): Promise<Page<TerminalRecord>>
  createTerminal(creation: Creation<TerminalRecord>, fields: NewTerminal): Promise<Created>
  changeTerminal(change: Change<TerminalRecord>, code: string, patch: TerminalPatch): Promise<Changed<TerminalRecord>>
}
