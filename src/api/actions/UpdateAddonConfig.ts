import { Type } from 'typebox'
import { parseUpdateAddonConfig } from '#model/addon/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { withFacts } from '#model/with-facts.ts'
import { lockClusterAndAddon } from '../add-ons.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once, tokenOf } from '../idempotency.ts'
import { Id, TOKEN, Text, given } from './shapes.ts'

export const UpdateAddonConfig = defineAction({
  name: 'UpdateAddonConfig',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Changes the configuration of an add-on: a text that holds JSON.',
  schema: Type.Object({ ClusterId: Id, Name: Text, Config: Type.Optional(Type.String({ maxLength: 65_536 })), ...TOKEN }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const { clusterId, name, config } = parseUpdateAddonConfig(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, addon } = await lockClusterAndAddon(context, tx, clusterId, name)
      checkPrecondition('UpdateAddonConfig', { cluster, addon }, now)
      const facts = withFacts(addon.facts, { operation: { action: 'UpdateAddonConfig', since: now }, installer: undefined })
      await tx.changeAddon(addon.id, { spec: { ...addon.spec, config }, facts, ...given({ updateClientToken: tokenOf(body) }) }, askedBy(context, 'A change of its configuration was asked for.'))
      await tx.enqueue({ kind: 'addon', id: addon.id, region: scope.region })
      return { resourceId: addon.id, result: {} }
    }))
  },
})
