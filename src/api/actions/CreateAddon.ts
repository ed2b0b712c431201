import { Type } from 'typebox'
import { parseCreateAddon } from '#model/addon/validate.ts'
import { addonId } from '#model/addon/record.ts'
import { refuse } from '#model/errors/catalogue.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { catalogueOf } from '../add-ons.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once, tokenOf } from '../idempotency.ts'
import { lockCluster } from '../lock.ts'
import { Id, TOKEN, Text, given } from './shapes.ts'

export const CreateAddon = defineAction({
  name: 'CreateAddon',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Installs an add-on in a cluster; ListSupportedAddons tells which there are.',
  schema: Type.Object({
    ClusterId: Id,
    Name: Text,
    Version: Type.Optional(Text),
    DeployMode: Type.Optional(Text),
    DeployNodeType: Type.Optional(Text),
    Config: Type.Optional(Type.String({ maxLength: 65_536 })),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const catalogue = catalogueOf(context)
    return store.write(now, tx => once(context, tx, body, async () => {
      const cluster = await lockCluster(context, tx, body.ClusterId)
      const { spec } = parseCreateAddon(body, catalogue, cluster.spec)
      checkPrecondition('CreateAddon', { cluster }, now)
      const id = addonId(cluster.id, spec.name)
      if (await tx.lockAddon(id)) refuse('Conflict.{Parameter}', { Parameter: 'Name', value: spec.name, by: 'the cluster has that add-on already' })
      await tx.insertAddon(
        { id, ...scope, ...given({ createClientToken: tokenOf(body) }), clusterId: cluster.id, spec, facts: { operation: { action: 'CreateAddon', since: now }, reasons: {}, obstacles: [] } },
        askedBy(context, `The installation of the add-on ${spec.name} ${spec.version} was asked for.`),
      )
      await tx.enqueue({ kind: 'addon', id, region: scope.region })
      return { resourceId: id, result: {} }
    }))
  },
})
