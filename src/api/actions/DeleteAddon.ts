import { Type } from 'typebox'
import { parseDeleteAddon } from '#model/addon/validate.ts'
import { refuse } from '#model/errors/catalogue.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { withFacts } from '#model/with-facts.ts'
import { isRequiredAddon, lockClusterAndAddon } from '../add-ons.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { Id, TOKEN, Text } from './shapes.ts'

const Crds = Type.Array(Type.Literal('Crd'), { maxItems: 100 })

export const DeleteAddon = defineAction({
  name: 'DeleteAddon',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Uninstalls an add-on; its custom resource definitions go where CascadingDeleteResources names Crd.',
  schema: Type.Object({ ClusterId: Id, Name: Text, CascadingDeleteResources: Type.Optional(Crds), RetainResources: Type.Optional(Crds), ...TOKEN }),
  run: async (context, body) => {
    const { scope, store, region, now } = context
    const { clusterId, name, crds } = parseDeleteAddon(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, addon } = await lockClusterAndAddon(context, tx, clusterId, name)
      if (isRequiredAddon(region, name)) refuse('OperationDenied.RequiredAddon', { name })
      checkPrecondition('DeleteAddon', { cluster, addon }, now)
      const facts = withFacts(addon.facts, { deletion: { requestedAt: now, by: 'call', crds }, obstacles: [], left: undefined, waitsFor: undefined })
      await tx.changeAddon(addon.id, { facts }, askedBy(context, 'The removal of the add-on was asked for.'))
      await tx.enqueue({ kind: 'addon', id: addon.id, region: scope.region })
      return { resourceId: cluster.id, result: {} }
    }))
  },
})
