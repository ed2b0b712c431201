import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import type { FaultOrder, RegionFaults } from '#ports/region-world.ts'
import type { Action, ActionContext } from './action.ts'
import { sentTargetComplaint } from './answer-faults.ts'
import { findExplained } from './explain/explained.ts'
import { within } from './lock.ts'

const OUTSIDE_KINDS = ['LoadBalancer', 'Nat', 'Address', 'SecurityGroup', 'Disk'] as const
const PAGE = 100

/**
 * Refuses a fault whose target's id names nothing of the caller's in this region, something of another kind, or something that the port never meets; at our own answers (`called`: the action, where it
 * names one) what no such call names: it could not strike.
 */
export async function checkFaultTarget(context: ActionContext, faults: RegionFaults, order: FaultOrder, called: Action | undefined): Promise<void> {
  const { id, kind } = order.target ?? {}
  const is = id === undefined ? undefined : await kindOf(context, id)
  if (id !== undefined && is === undefined) return refuse('NotFound.{Resource}', { Resource: kind === undefined || kind === 'Call' ? 'Resource' : kind, id })
  if (order.port === 'api') {
    const unsent = sentTargetComplaint(order, is, called)
    if (unsent) refuseParameter(context.action, unsent.member, unsent.why)
    return
  }
  if (is === undefined) return
  if (kind !== undefined && kind !== is) refuseParameter(context.action, 'Target.Kind', `the Id is that of a ${is}`)
  const complaint = faults.complaint({ ...order, target: { ...order.target, kind: is } })
  if (complaint) refuseParameter(context.action, complaint.member === 'Target.Kind' ? 'Target.Id' : complaint.member, complaint.why)
}

async function kindOf(context: ActionContext, id: string): Promise<string | undefined> {
  const { store, scope } = context
  const resource = (await findExplained(context, id))?.resource.kind
  if (resource !== undefined) return resource
  if (within(scope, await store.findMachine(id))) return 'Machine'
  if (within(scope, await store.findKubeconfig(id))) return 'Kubeconfig'
  for (let number = 1; ; number++) {
    const { items, totalCount } = await store.listLedger(scope, { kinds: OUTSIDE_KINDS }, { number, size: PAGE })
    const entry = items.find(({ providerId, state }) => providerId === id && state !== 'Released')
    if (entry) return entry.kind
    if (number * PAGE >= totalCount) return undefined
  }
}
