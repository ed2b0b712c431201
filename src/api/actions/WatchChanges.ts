import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import type { ResourceKind } from '#model/evidence.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { WatchedChanges } from '../watches/watched-changes.ts'
import { Ids, Kinds, given, some } from './shapes.ts'

/** A GET whose answer is a stream: server-sent events of what ListStatusHistory lists, oldest first, for as long as it is read. */
export const WatchChanges = defineAction({
  name: 'WatchChanges',
  version: OWN_VERSION,
  kind: 'read',
  streams: true,
  says: 'Streams every change of a status as it comes, behind LastEventId or from now on; goes on without loss or repeat from the id of the last event that was read.',
  schema: Type.Object({
    /** Clients keep it as text, and as the number that it is. */
    LastEventId: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.String({ maxLength: 64 })])),
    ClusterIds: Type.Optional(Ids),
    Kinds: Type.Optional(Kinds),
  }),
  run: async ({ store, scope, action }, body) => {
    const { newest, begins, region } = await store.historyStand(scope)
    const after = positionOf(action, body.LastEventId) ?? newest
    if (after > newest) refuseParameter(action, 'LastEventId', `no change has that position yet, the newest one is ${newest}; it is the id of an event that this server sent`)
    if (after > 0 && after < begins) refuseParameter(action, 'LastEventId', `it is of an earlier region ${scope.region}, which was removed; send 0 for all changes of the region that is there now, or leave it out`)
    return new WatchedChanges({ scope, filter: given({ clusterIds: some(body.ClusterIds), kinds: some(body.Kinds as readonly ResourceKind[] | undefined) }), after, region })
  },
})

function positionOf(action: string, sent: string | number | undefined): number | undefined {
  if (sent === undefined || sent === '') return undefined
  if (!/^\d{1,15}$/.test(String(sent))) refuseParameter(action, 'LastEventId', 'it has to be the id of an event, a whole number')
  return Number(sent)
}
