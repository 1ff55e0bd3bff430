import type { Change, Creation, PageRequest } from '../../core/admin.ts'
import type { NewOrganisation, Organisation, OrganisationPatch } from '../../core/parties.ts'
import { changeOrganisation, createOrganisation, listOrganisations, readOrganisation } from './organisations.ts'
import type { AdminPool } from './pool.ts'

export const createParties = (pool: AdminPool) => ({
  organisation: (tenant: number, code: string) => readOrganisation(pool.run, tenant, code),
  organisations: (tenant: number, filter: { only: number | null; status: string | null }, page: PageRequest) =>
    listOrganisations(pool.run, tenant, filter, page),
  createOrganisation: (creation: Creation<Organisation>, fields: NewOrganisation) =>
    createOrganisation(pool, creation, fields),
  changeOrganisation: (change: Change<Organisation>, code: string, patch: OrganisationPatch) =>
    changeOrganisation(pool, change, code, patch),
})
