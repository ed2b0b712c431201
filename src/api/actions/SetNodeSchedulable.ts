import { Type } from 'typebox'
import { refuse } from '#model/errors/catalogue.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { within } from '../lock.ts'
import { Id } from './shapes.ts'

export const SetNodeSchedulable = defineAction({
  name: 'SetNodeSchedulable',
  version: OWN_VERSION,
  kind: 'write',
  refusedInArrears: true,
  says: 'Cordons a node or uncordons it; its status follows when the cluster shows it.',
  schema: Type.Object({ Id, Schedulable: Type.Boolean() }),
  run: async (context, body) => {
    const { store, region, scope, now } = context
    const node = within(scope, await store.findNode(body.Id))
    const cluster = node && await store.findCluster(node.clusterId)
    if (!node || !cluster) return refuse('NotFound.{Resource}', { Resource: 'Node', id: body.Id })
    checkPrecondition('SetNodeSchedulable', { cluster, nodes: [node] }, now)
    if (!region.setSchedulable) return refuse('OperationDenied.RegionNotReady', { region: scope.region, why: 'it cannot cordon nodes' })
    await region.setSchedulable(cluster, node.spec.name, body.Schedulable)
    return {}
  },
})
