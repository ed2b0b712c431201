import { Type } from 'typebox'
import { onboardingToWire } from '#model/onboarding/wire.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { Ids, PAGE, Statuses, Switch, Text, given, isOn, listing, pageOf, some, statusesOf } from './shapes.ts'

export const ListBatchEdgeMachine = defineAction({
  name: 'ListBatchEdgeMachine',
  version: PRODUCT_VERSION,
  kind: 'read',
  says: 'Lists onboarding scripts; their text only where NeedBootstrapScript asks for it, since it holds a secret.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      Ids: Type.Optional(Ids),
      ClusterIds: Type.Optional(Ids),
      NodePoolIds: Type.Optional(Ids),
      ZoneIds: Type.Optional(Ids),
      Ips: Type.Optional(Ids),
      Name: Type.Optional(Text),
      Statuses: Type.Optional(Statuses),
      CreateClientToken: Type.Optional(Text),
      NeedBootstrapScript: Type.Optional(Switch),
    })),
    // The provider sends these two beside the filter.
    Name: Type.Optional(Text),
    NeedBootstrapScript: Type.Optional(Switch),
    ...PAGE,
  }),
  run: async ({ action, store, scope, region }, body) => {
    const page = pageOf(body)
    const filter = body.Filter ?? {}
    // Scripts have neither zone nor address.
    if (some(filter.ZoneIds) || some(filter.Ips)) return listing(page, 0, [])
    const found = await store.listOnboardings(scope, given({
      ids: some(filter.Ids),
      clusterIds: some(filter.ClusterIds),
      nodePoolIds: some(filter.NodePoolIds),
      name: filter.Name || body.Name || undefined,
      statuses: statusesOf(action, body, 'Onboarding'),
      createClientToken: filter.CreateClientToken || undefined,
    }), page)
    const withScript = isOn(filter.NeedBootstrapScript) || isOn(body.NeedBootstrapScript)
    const items = await Promise.all(found.items.map(async onboarding => {
      const token = withScript ? await store.onboardingToken(onboarding.id) : undefined
      return onboardingToWire(onboarding, token === undefined ? undefined : region.bootstrapLine?.(token))
    }))
    return listing(page, found.totalCount, items)
  },
})
