import { ControlPlaneFailure } from '#ports/control-plane-host.ts'
import { MACHINE_REFUSALS, MachineRefused } from '#ports/machines.ts'
import { protectedThing, type Names } from '#ports/not-removed.ts'
import { OUTSIDE_REFUSALS, OutsideRefused } from '#ports/outside.ts'
import { TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import type { FaultTarget } from '#ports/region-world.ts'
import { targetOf, type ControlPlanes } from '../control-planes/control-planes.ts'
import { machineHeld, targetOfMachine, type Fleet } from '../machines/fleet.ts'
import type { Outside } from '../outside/outside.ts'
import { NODE_CALLS } from './calls.ts'
import type { FaultyPort } from './faulty.ts'

export function faultyControlPlanes(planes: ControlPlanes): FaultyPort {
  return {
    port: 'control-plane-host',
    target(_call, [given]) {
      const order = given as string | { clusterId: string; name: string }
      return typeof order === 'string' ? targetOf(order, planes.plane(order)) : targetOf(order.clusterId, order)
    },
    failure(call, message, code) {
      const refusedAs = call === 'ensure' ? OUTSIDE_REFUSALS.find(one => one === code) : undefined
      return new ControlPlaneFailure(message, code === 'never' || refusedAs ? 'never' : 'soon', refusedAs && { refusedAs })
    },
    held(target, _call, message) {
      const names: Names = { thing: `The control plane of ${nameOf(target)}`, call: 'DeleteControlPlane' }
      return new AggregateError([new ControlPlaneFailure(protectedThing(names, message), 'never', { names })], `Removing ${nameOf(target)}`)
    },
  }
}

export function faultyTenantClusters(planes: ControlPlanes, fleetTarget: (clusterId: string, nodeName: string) => FaultTarget): FaultyPort {
  return {
    port: 'tenant-cluster',
    target(call, [cluster, name]) {
      const { clusterId } = cluster as { clusterId: string }
      return NODE_CALLS.has(call) ? fleetTarget(clusterId, String(name)) : targetOf(clusterId, planes.plane(clusterId))
    },
    // With a code of its own it answers, and refuses.
    failure: (_call, message, code) => code === undefined || code === 'unreachable' ? new TenantClusterUnreachable(message) : new Error(`${code}: ${message}`),
  }
}

export function faultyMachines(fleet: Fleet): FaultyPort {
  return {
    port: 'machines',
    target(_call, [given]) {
      const order = given as string | { id: string; name: string; nodePoolId?: string }
      if (typeof order === 'string') return targetOfMachine(order, fleet.get(order))
      return targetOfMachine(order.id, fleet.get(order.id) ?? { name: order.name, ...(order.nodePoolId !== undefined && { pool: order.nodePoolId }) })
    },
    failure(call, message, code) {
      const as = MACHINE_REFUSALS.find(one => one === code)
      return call === 'ensure' && as ? new MachineRefused(as, message) : new Error(message)
    },
    held: ({ id, name }, _call, message) => machineHeld(id, name, message),
  }
}

export function faultyOutside(outside: Outside): FaultyPort {
  return {
    port: 'outside',
    target(_call, [given]) {
      const order = given as string | { token: string; kind: string; name: string; clusterId: string }
      const thing = typeof order === 'string' ? outside.get(order) : order
      const token = typeof order === 'string' ? order : order.token
      const made = outside.get(token)
      return {
        kind: thing?.kind ?? 'Outside', id: token, name: thing?.name,
        also: [...made ? [{ kind: made.kind, id: made.providerId, name: made.name }] : [], ...thing ? [{ kind: 'Cluster', id: thing.clusterId }] : []],
      }
    },
    failure(call, message, code) {
      const as = OUTSIDE_REFUSALS.find(one => one === code)
      return call === 'ensure' && as ? new OutsideRefused(as, message) : new Error(message)
    },
    held: ({ id }, _call, message) => outside.held(id, message),
  }
}

export function nameOf({ kind, id, name }: FaultTarget): string {
  return name === undefined ? `${kind} ${id}` : `${name} (${id})`
}
