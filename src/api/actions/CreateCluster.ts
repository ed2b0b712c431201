import { Type } from 'typebox'
import { checkClusterRanges } from '#model/cluster/ranges.ts'
import { parseCreateCluster } from '#model/cluster/validate.ts'
import { refuse } from '#model/errors/catalogue.ts'
import { newId } from '#model/ids.ts'
import { servedVersion } from '#model/versions.ts'
import { insertRequiredAddons } from '../add-ons.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once, tokenOf } from '../idempotency.ts'
import { holdRegion, refuseRemoved } from '../lock.ts'
import { ClusterConfig, LoggingConfig, PodsConfig, ServicesConfig } from './cluster-shapes.ts'
import { TOKEN, Tags, Text, given } from './shapes.ts'

export const CreateCluster = defineAction({
  name: 'CreateCluster',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Makes a cluster; it is done when ListClusters shows it as Running.',
  schema: Type.Object({
    Name: Text,
    Description: Type.Optional(Text),
    Profile: Text,
    KubernetesVersion: Type.Optional(Text),
    DeleteProtectionEnabled: Type.Optional(Type.Boolean()),
    EdgeTunnelEnabled: Type.Optional(Type.Boolean()),
    ClusterConfig,
    PodsConfig,
    ServicesConfig,
    LoggingConfig: Type.Optional(LoggingConfig),
    Tags: Type.Optional(Tags),
    ...TOKEN,
  }),
  apart: ({ Name }) => ({ names: [`cluster/${Name}`] }),
  run: async (context, body) => {
    const { scope, region, store, now } = context
    const spec = parseCreateCluster(body, region.servedVersions())
    // Answers echo the text that was sent; that another version runs stands in the history.
    const { says: chosen } = servedVersion(spec.kubernetesVersion, region.servedVersions())
    return store.write(now, tx => once(context, tx, body, async () => {
      const id = newId('cluster', now, context.randomBytes(8))
      const [isThere, namesake, neighbours] = await Promise.all([holdRegion(context, tx), tx.clusterNamed(scope, spec.name), tx.claimRanges(scope, id, [...spec.podCidrs, ...spec.serviceCidrs])])
      if (!isThere) return refuseRemoved(context)
      if (namesake) refuse('Conflict.{Parameter}', { Parameter: 'Name', value: spec.name, by: `the cluster ${namesake.id} has it` })
      checkClusterRanges(spec, neighbours.map(other => other.spec), region.reservedRanges())
      const cluster = await tx.insertCluster(
        { id, ...scope, ...given({ createClientToken: tokenOf(body) }), spec, facts: { controlPlane: 'absent', obstacles: [], unpaid: false } },
        askedBy(context, `The creation of the cluster ${spec.name} was asked for.${chosen === undefined ? '' : ` ${chosen}.`}`),
      )
      await insertRequiredAddons(context, tx, cluster)
      await tx.enqueue({ kind: 'cluster', id, region: scope.region })
      return { resourceId: id, result: { Id: id } }
    }))
  },
})
