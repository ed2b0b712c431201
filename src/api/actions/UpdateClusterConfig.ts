import { Type } from 'typebox'
import { isDeepStrictEqual } from 'node:util'
import { parseUpdateCluster } from '#model/cluster/validate.ts'
import { refuse } from '#model/errors/catalogue.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import type { Transaction } from '#ports/store.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once, tokenOf } from '../idempotency.ts'
import { lockCluster } from '../lock.ts'
import { ClusterConfig, LoggingConfig, PodsConfig } from './cluster-shapes.ts'
import { Id, TOKEN, Text, given } from './shapes.ts'

export const UpdateClusterConfig = defineAction({
  name: 'UpdateClusterConfig',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Changes name, description or deletion protection; only the members given change.',
  schema: Type.Object({
    Id,
    Name: Type.Optional(Text),
    Description: Type.Optional(Text),
    DeleteProtectionEnabled: Type.Optional(Type.Boolean()),
    EdgeTunnelEnabled: Type.Optional(Type.Boolean()),
    ClusterConfig: Type.Optional(ClusterConfig),
    PodsConfig: Type.Optional(PodsConfig),
    LoggingConfig: Type.Optional(LoggingConfig),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const { change } = parseUpdateCluster(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const cluster = await lockCluster(context, tx, body.Id)
      const spec = { ...cluster.spec, ...change }
      checkPrecondition('UpdateClusterConfig', { cluster }, now)
      const namesake = spec.name === cluster.spec.name ? undefined : await tx.clusterNamed(scope, spec.name)
      if (namesake) refuse('Conflict.{Parameter}', { Parameter: 'Name', value: spec.name, by: `the cluster ${namesake.id} has it` })

      const token = given({ updateClientToken: tokenOf(body) })
      if (isDeepStrictEqual(spec, cluster.spec)) {
        if (tokenOf(body) !== undefined) await tx.changeCluster(cluster.id, token, askedBy(context, 'An update was asked for that changes nothing.'))
      } else {
        const facts = { ...cluster.facts, updating: { action: 'UpdateClusterConfig', since: now } }
        await tx.changeCluster(cluster.id, { spec, facts, ...token }, askedBy(context, 'A change of its configuration was asked for.'))
        if (spec.name !== cluster.spec.name) await renameInLedger(tx, cluster.id, spec.name)
        await tx.enqueue({ kind: 'cluster', id: cluster.id, region: scope.region })
      }
      return { resourceId: cluster.id, result: {} }
    }))
  },
})

/** The ledger names owners as they are called now; since when a thing is as it is does not move. */
async function renameInLedger(tx: Transaction, clusterId: string, name: string): Promise<void> {
  for (const entry of await tx.ledgerOf(clusterId)) await tx.putLedger({ ...entry, owner: { ...entry.owner, name } })
}
