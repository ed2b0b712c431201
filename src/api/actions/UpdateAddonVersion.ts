import { Type } from 'typebox'
import { parseUpdateAddonVersion } from '#model/addon/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { withFacts } from '#model/with-facts.ts'
import { catalogueOf, lockClusterAndAddon } from '../add-ons.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once, tokenOf } from '../idempotency.ts'
import { Id, TOKEN, Text, given } from './shapes.ts'

export const UpdateAddonVersion = defineAction({
  name: 'UpdateAddonVersion',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Brings an add-on to another version.',
  schema: Type.Object({ ClusterId: Id, Name: Text, Version: Text, ...TOKEN }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const catalogue = catalogueOf(context)
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, addon } = await lockClusterAndAddon(context, tx, body.ClusterId, body.Name)
      const { version } = parseUpdateAddonVersion(body, catalogue, cluster.spec)
      checkPrecondition('UpdateAddonVersion', { cluster, addon }, now)
      const facts = withFacts(addon.facts, { operation: { action: 'UpdateAddonVersion', since: now }, installer: undefined })
      await tx.changeAddon(addon.id, { spec: { ...addon.spec, version }, facts, ...given({ updateClientToken: tokenOf(body) }) }, askedBy(context, `Version ${version} was asked for.`))
      await tx.enqueue({ kind: 'addon', id: addon.id, region: scope.region })
      return { resourceId: addon.id, result: {} }
    }))
  },
})
