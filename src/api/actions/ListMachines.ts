import { Type } from 'typebox'
import { switchingFails } from '#model/node/not-switched.ts'
import type { NodeFacts } from '#model/node/record.ts'
import { rfc3339Milliseconds } from '#model/time.ts'
import type { MachinePowerFact } from '#ports/machine-power.ts'
import type { MachineRecord } from '#ports/store.ts'
import { OWN_VERSION, defineAction, type ActionContext } from '../action.ts'
import { Ids, PAGE, given, listing, pageOf, some } from './shapes.ts'

export const ListMachines = defineAction({
  name: 'ListMachines',
  version: OWN_VERSION,
  kind: 'read',
  says: 'Lists the machines of the region with power, link, address, and the node that each is; Because says what keeps one from being made, switched on or off, removed or admitted, and ScriptFailedAt when the onboarding script that ran on it last ended by that.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({ Ids: Type.Optional(Ids), Names: Type.Optional(Ids) })),
    ...PAGE,
  }),
  run: async (context, body) => {
    const page = pageOf(body)
    const filter = body.Filter ?? {}
    const found = await context.store.listMachines(context.scope, given({ ids: some(filter.Ids), names: some(filter.Names) }), page)
    const sights = found.items.length === 0 ? [] : await context.store.sights('MachinePower', found.items.map(({ id }) => id)), seen = new Map(sights.map(({ id, fact }) => [id, fact as Seen]))
    const ordered = new Map((await context.store.nodesById(found.items.flatMap(({ ownedBy }) => ownedBy?.nodeId ?? []))).map(node => [node.id, node.facts]))
    return listing(page, found.totalCount, await Promise.all(found.items.map(machine => toWire(context, machine, seen.get(machine.id), ordered.get(machine.ownedBy?.nodeId ?? '')))))
  },
})

/** What of a machine is told here that its provider sees, and nobody else. */
type Seen = Pick<MachinePowerFact, 'stuck' | 'turnedAway'>

async function toWire({ store, scope }: ActionContext, machine: MachineRecord, seen: Seen = {}, facts?: NodeFacts): Promise<object> {
  const { ownedBy } = machine
  const nodes = ownedBy?.nodeId !== undefined || machine.machineId === undefined ? [] : await store.nodesOfMachine(scope.region, machine.machineId)
  const heard = facts?.turnedAway?.heard && seen.turnedAway === undefined ? { ...seen, turnedAway: facts.turnedAway } : seen
  const because = machine.obstacle?.because ?? notSwitchedText(machine, facts) ?? consoleText(heard), failedAt = scriptFailedAt(heard)
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
    // What keeps it from being removed, or from being as ordered, or kept it from being made, or from becoming a node.
    ...because !== undefined && { Because: because },
    ...failedAt !== undefined && { ScriptFailedAt: rfc3339Milliseconds(failedAt) },
    ...(ownedBy?.nodeId !== undefined || node) && { NodeId: ownedBy?.nodeId ?? node?.id },
    // The pool that ordered it.
    ...ownedBy && { OwnedBy: { Kind: 'NodePool', Id: ownedBy.nodePoolId, Name: (await store.findNodePool(ownedBy.nodePoolId))?.spec.name ?? '', ClusterId: ownedBy.clusterId } },
  }
}

/** Of one that its pool ordered its node is told what its provider answers, until it is as ordered. */
function notSwitchedText({ power }: MachineRecord, { notSwitched, power: seen }: Partial<NodeFacts> = {}): string | undefined {
  if (!notSwitched || notSwitched.to !== power || seen?.state === power) return undefined
  const text = switchingFails(notSwitched)
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}

/** As who stands before it would read it: why it is no node, or not yet. */
function consoleText({ stuck, turnedAway }: Seen): string | undefined {
  if (turnedAway) return `The join endpoint ${turnedAway.failed ? 'refused it' : 'told it to come again later'}: ${turnedAway.text}`
  return stuck && `Its ${stuck.step === 'boot' ? 'start' : 'onboarding script'} ${stuck.failed ? 'failed' : 'is under way'}: ${stuck.text}`
}

function scriptFailedAt({ stuck, turnedAway }: Seen): number | undefined {
  if (turnedAway?.failed) return turnedAway.since
  return stuck?.failed && stuck.step === 'contact' ? stuck.since : undefined
}
