import type { Exits } from '../status/exit.ts'
import type { RowKeyOf } from '../status/table.ts'
import type { ONBOARDING_STATUS } from './status.ts'

/** An onboarding script shows one row for as long as it is there. */
export const ONBOARDING_EXITS: Exits<RowKeyOf<typeof ONBOARDING_STATUS>> = {
  'Creating/Ok': [['call', 'DeleteBatchEdgeMachine'], ['cause', 'its pool or cluster is deleted']],
}
