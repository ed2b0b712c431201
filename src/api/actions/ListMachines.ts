import { Type } from 'typebox'
import type { MachineRecord } from '#ports/store.ts'
import { OWN_VERSION, defineAction, type ActionContext } from '../action.ts'
import { Ids, PAGE, given, listing, pageOf, some } from './shapes.ts'

export const ListMachines = defineAction({
  name: 'ListMachines',
  version: OWN_VERSION,
  kind: 'read',
  says: 'Lists the machines of the region with power, link, address, and the node that each is.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({ Ids: Type.Optional(Ids), Names: Type.Optional(Ids) })),
    ...PAGE,
  }),
  run: async (context, body) => {
    const page = pageOf(body)
    const filter = body.Filter ?? {}
    const found = await context.store.listMachines(context.scope, given({ ids: some(filter.Ids), names: some(filter.Names) }), page)
    return listing(page, found.totalCount, await Promise.all(found.items.map(machine => toWire(context, machine))))
  },
})

async function toWire({ store, scope }: ActionContext, machine: MachineRecord): Promise<object> {
  const { ownedBy } = machine
  const nodes = ownedBy?.nodeId !== undefined || machine.machineId === undefined ? [] : await store.nodesOfMachine(scope.region, machine.machineId)
  const node = nodes.find(candidate => candidate.facts.deletion === undefined) ?? nodes[0]
  return {
    Id: machine.id,
    Name: machine.name,
    Power: machine.power,
    Link: machine.link,
    Address: machine.address,
    // Its controller has seen it: it exists and its /etc/machine-id is known.
    Made: machine.machineId !== undefined,
    ...machine.deletionRequestedAt !== undefined && { Removing: true },
    // What keeps it from being removed, or kept it from being made.
    ...machine.obstacle && { Because: machine.obstacle.because },
    ...(ownedBy?.nodeId !== undefined || node) && { NodeId: ownedBy?.nodeId ?? node?.id },
    // The pool that ordered it.
    ...ownedBy && { OwnedBy: { Kind: 'NodePool', Id: ownedBy.nodePoolId, Name: (await store.findNodePool(ownedBy.nodePoolId))?.spec.name ?? '', ClusterId: ownedBy.clusterId } },
  }
}
