import { Type } from 'typebox'
import { refuse } from '#model/errors/catalogue.ts'
import type { Transaction } from '#ports/store.ts'
import { Ids, Labels, Tags, Taints, Text, Whole } from './shapes.ts'

/** The nested objects of a node pool's body (api.md 3 and 4), the same where a pool is made and where it is changed; what their values may be is the model's. */
const Scaling = {
  Enabled: Type.Optional(Type.Boolean()),
  MinReplicas: Type.Optional(Whole),
  MaxReplicas: Type.Optional(Whole),
  DesiredReplicas: Type.Optional(Whole),
  Priority: Type.Optional(Whole),
  Mode: Type.Optional(Text),
}
/** Scripts are base64 of up to 16 KiB. */
const Script = Type.String({ maxLength: 22_000 })

export const NODE_POOL_CONFIG = {
  KubernetesConfig: Type.Optional(Type.Object({
    Labels: Type.Optional(Labels),
    Taints: Type.Optional(Taints),
    Cordon: Type.Optional(Type.Boolean()),
    NamePrefix: Type.Optional(Text),
    AutoSyncDisabled: Type.Optional(Type.Boolean()),
  })),
  BillingConfigs: Type.Optional(Type.Object({
    /** A number in one source and a unit's text in another. */
    PrePaidPeriod: Type.Optional(Type.Union([Whole, Text])),
    PrePaidPeriodNumber: Type.Optional(Whole),
    AutoRenew: Type.Optional(Type.Boolean()),
  })),
  ElasticConfig: Type.Optional(Type.Object({
    CloudServerIdentity: Type.Optional(Text),
    AutoScaleConfig: Type.Optional(Type.Object(Scaling)),
    InstanceArea: Type.Optional(Type.Object({
      AreaName: Type.Optional(Text),
      Isp: Type.Optional(Text),
      ClusterName: Type.Optional(Text),
      DefaultIsp: Type.Optional(Text),
      ExternalNetworkMode: Type.Optional(Text),
      VpcIdentity: Type.Optional(Text),
      SubnetIdentity: Type.Optional(Text),
      SubnetId: Type.Optional(Text),
      DesiredReplicas: Type.Optional(Whole),
    })),
    CloudServerConfig: Type.Optional(Type.Object({})),
  })),
}

const Volume = { Type: Type.Optional(Text), Size: Type.Optional(Whole) }

/** Of central pools. */
export const NodeConfig = Type.Object({
  InstanceTypeIds: Type.Optional(Ids),
  SubnetIds: Type.Optional(Ids),
  ImageId: Type.Optional(Text),
  SystemVolume: Type.Optional(Type.Object(Volume)),
  DataVolumes: Type.Optional(Type.Array(Type.Object({ ...Volume, MountPoint: Type.Optional(Text) }), { maxItems: 15 })),
  InitializeScript: Type.Optional(Script),
  PreScript: Type.Optional(Script),
  Security: Type.Optional(Type.Object({
    SecurityGroupIds: Type.Optional(Ids),
    SecurityStrategies: Type.Optional(Ids),
    Login: Type.Optional(Type.Object({ Password: Type.Optional(Text), SshKeyPairName: Type.Optional(Text) })),
  })),
  AdditionalContainerStorageEnabled: Type.Optional(Type.Boolean()),
  ContainerStoragePath: Type.Optional(Text),
  InstanceChargeType: Type.Optional(Text),
  Period: Type.Optional(Whole),
  AutoRenew: Type.Optional(Type.Boolean()),
  AutoRenewPeriod: Type.Optional(Whole),
  NamePrefix: Type.Optional(Text),
  Tags: Type.Optional(Tags),
  HpcClusterIds: Type.Optional(Ids),
})

export const AutoScaling = Type.Object({ ...Scaling, SubnetPolicy: Type.Optional(Text) })

/** Which machines that a pool ordered go with their nodes. */
export const Servers = Type.Array(Type.Literal('Ecs'), { maxItems: 100 })

/** Refuses a name that a pool of the cluster has, besides the one that asks; under the cluster's lock. */
export async function refuseTakenName(tx: Transaction, clusterId: string, name: string, asker?: string): Promise<void> {
  const namesake = (await tx.nodePoolsOf(clusterId)).find(other => other.id !== asker && other.spec.name === name)
  if (namesake) refuse('Conflict.{Parameter}', { Parameter: 'Name', value: name, by: `the node pool ${namesake.id} of this cluster has it` })
}
