import { Type } from 'typebox'
import { rfc3339Milliseconds } from '#model/time.ts'
import type { LedgerEntry, LedgerKind, LedgerState } from '#ports/store.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { Ids, PAGE, given, listing, pageOf, some } from './shapes.ts'

const KINDS = ['ControlPlane', 'Machine', 'LoadBalancer', 'Nat', 'Address', 'SecurityGroup', 'Disk', 'Network'] as const satisfies readonly LedgerKind[]
const STANDING = ['Intended', 'Held', 'Releasing', 'Retained', 'Abandoned'] as const satisfies readonly LedgerState[]
const STATES = [...STANDING, 'Released'] as const satisfies readonly LedgerState[]

export const ListLedger = defineAction({
  name: 'ListLedger',
  version: OWN_VERSION,
  kind: 'read',
  says: 'Lists the outside resources that were made, with owner and fate; without States all that are not released.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      ClusterIds: Type.Optional(Ids),
      Kinds: Type.Optional(Type.Array(Type.Union(KINDS.map(kind => Type.Literal(kind))), { maxItems: 100 })),
      States: Type.Optional(Type.Array(Type.Union(STATES.map(state => Type.Literal(state))), { maxItems: 100 })),
      OwnerIds: Type.Optional(Ids),
    })),
    ...PAGE,
  }),
  run: async ({ store, scope }, body) => {
    const page = pageOf(body)
    const filter = body.Filter ?? {}
    const found = await store.listLedger(scope, given({
      clusterIds: some(filter.ClusterIds),
      kinds: some(filter.Kinds),
      states: some(filter.States) ?? STANDING,
      ownerIds: some(filter.OwnerIds),
    }), page)
    return listing(page, found.totalCount, found.items.map(toWire))
  },
})

function toWire(entry: LedgerEntry): object {
  return {
    Id: entry.id,
    Kind: entry.kind,
    ...entry.providerId !== undefined && { ProviderId: entry.providerId },
    Owner: { Kind: entry.owner.kind, Id: entry.owner.id, Name: entry.owner.name, ...entry.owner.kind !== 'Cluster' && entry.clusterId !== undefined && { ClusterId: entry.clusterId } },
    ...entry.clusterId !== undefined && { ClusterId: entry.clusterId },
    State: entry.state,
    ...entry.because !== undefined && { Because: entry.because },
    DeleteProtected: entry.deleteProtected,
    Since: rfc3339Milliseconds(entry.since),
  }
}
