import { Type } from 'typebox'
import { refuse } from '#model/errors/catalogue.ts'
import type { Transaction } from '#ports/store.ts'
import { Labels, Taints, Text, Whole } from './shapes.ts'

/** The nested objects of a node pool's body (api.md 4), the same where a pool is made and where it is changed. */
export const NODE_POOL_CONFIG = {
  KubernetesConfig: Type.Optional(Type.Object({
    Labels: Type.Optional(Labels),
    Taints: Type.Optional(Taints),
  })),
  BillingConfigs: Type.Optional(Type.Object({
    /** A number in one source and a unit's text in another. */
    PrePaidPeriod: Type.Optional(Type.Union([Whole, Text])),
    PrePaidPeriodNumber: Type.Optional(Whole),
    AutoRenew: Type.Optional(Type.Boolean()),
  })),
  /** Only elastic pools have it, and they are refused by their type. */
  ElasticConfig: Type.Optional(Type.Object({})),
}

/** Refuses a name that a pool of the cluster has, besides the one that asks; under the cluster's lock. */
export async function refuseTakenName(tx: Transaction, clusterId: string, name: string, asker?: string): Promise<void> {
  const namesake = (await tx.nodePoolsOf(clusterId)).find(other => other.id !== asker && other.spec.name === name)
  if (namesake) refuse('Conflict.{Parameter}', { Parameter: 'Name', value: name, by: `the node pool ${namesake.id} of this cluster has it` })
}
