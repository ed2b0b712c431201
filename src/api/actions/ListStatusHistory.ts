import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import type { ResourceKind } from '#model/evidence.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { changeToWire } from './own-wire.ts'
import { Ids, Kinds, PAGE, Text, given, listing, pageOf, some } from './shapes.ts'
import { instantOf } from './time-texts.ts'

export const ListStatusHistory = defineAction({
  name: 'ListStatusHistory',
  version: OWN_VERSION,
  kind: 'read',
  says: 'Lists every change of a status with its evidence and cause, newest first; with At the one row of each resource that held then.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      Ids: Type.Optional(Ids),
      ClusterIds: Type.Optional(Ids),
      Kinds: Type.Optional(Kinds),
    })),
    From: Type.Optional(Text),
    To: Type.Optional(Text),
    At: Type.Optional(Text),
    ...PAGE,
  }),
  run: async ({ store, scope, action }, body) => {
    const page = pageOf(body)
    const filter = body.Filter ?? {}
    const from = instantOf(action, 'From', body.From), to = instantOf(action, 'To', body.To)
    if (from !== undefined && to !== undefined && to < from) refuseParameter(action, 'To', 'it is before From')
    const found = await store.listHistory(scope, given({
      ids: some(filter.Ids),
      clusterIds: some(filter.ClusterIds),
      kinds: some(filter.Kinds as readonly ResourceKind[] | undefined),
      from,
      to,
      at: instantOf(action, 'At', body.At),
    }), page)
    return listing(page, found.totalCount, found.items.map(changeToWire))
  },
})
