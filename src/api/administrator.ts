import { refuse } from '#model/errors/catalogue.ts'
import type { ActionContext } from './action.ts'

/** own-actions.md: what an account has in a real region is set with the administrator's key; an invented world is arranged by whoever uses it. */
export function refuseToOthers({ action, accessKeyId, isAdministrator, region, scope }: ActionContext): void {
  if (isAdministrator || region.anyKeySetsLimits) return
  refuse('AccessDenied', { why: `in the real region ${scope.region} ${action} takes the administrator's key, and ${accessKeyId} is none; on the server's host ./edgehold key list shows whose it is` })
}
