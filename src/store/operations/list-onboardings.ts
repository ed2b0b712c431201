import type { OnboardingRecord } from '#model/onboarding/record.ts'
import { ONBOARDING_SHOWS } from '#model/onboarding/status.ts'
import type { Listing, Page, Scope } from '#ports/store.ts'
import type { OnboardingFilter } from '#ports/store-filters.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { ONBOARDING_COLUMNS, onboardingOf } from '../records/onboarding-row.ts'
import type { Seen } from '../shared-reads.ts'
import { seePage } from './list-page.ts'

/** Expired ones stay listed, deleted ones do not. All show the same status, so a filter by status keeps all or none. */
export function listOnboardings(connection: Queryable, scope: Scope, filter: OnboardingFilter, page: Page): Promise<Seen<Listing<OnboardingRecord>>> {
  const conditions = Conditions.inScope(scope)
    .plain('deleted_at is null')
    .oneOf('id', filter.ids)
    .oneOf('cluster_id', filter.clusterIds)
    .oneOf('node_pool_id', filter.nodePoolIds)
    .contains('name', filter.name)
    .equal('create_client_token', filter.createClientToken)
  if (filter.statuses && filter.statuses.length > 0 && !filter.statuses.some(showsIt)) conditions.plain('false')
  return seePage(connection, 'onboarding', ONBOARDING_COLUMNS, conditions, page, onboardingOf)
}

function showsIt({ phase, condition }: { phase?: string; condition?: string }): boolean {
  const [shown] = ONBOARDING_SHOWS.conditions
  return (phase === undefined || phase === ONBOARDING_SHOWS.phase) && (condition === undefined || condition === shown)
}
