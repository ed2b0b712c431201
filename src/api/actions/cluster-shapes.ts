import { Type } from 'typebox'
import { Ids, Text, Whole } from './shapes.ts'

/** The nested objects of a cluster's body (api.md 2); what their values may be is the model's. */
const PublicAccess = Type.Object({
  PublicAccessNetworkConfig: Type.Optional(Type.Object({ BillingType: Type.Optional(Whole), Bandwidth: Type.Optional(Whole), Isp: Type.Optional(Text) })),
})

export const ClusterConfig = Type.Object({
  SubnetIds: Type.Optional(Ids),
  ApiServerPublicAccessEnabled: Type.Optional(Type.Boolean()),
  ApiServerPublicAccessConfig: Type.Optional(PublicAccess),
  ResourcePublicAccessDefaultEnabled: Type.Optional(Type.Boolean()),
})

export const PodsConfig = Type.Object({
  PodNetworkMode: Type.Optional(Text),
  FlannelConfig: Type.Optional(Type.Object({ PodCidrs: Type.Optional(Ids), MaxPodsPerNode: Type.Optional(Whole) })),
  VpcCniConfig: Type.Optional(Type.Object({ SubnetIds: Type.Optional(Ids) })),
})

export const ServicesConfig = Type.Object({ ServiceCidrsv4: Type.Optional(Ids) })

export const LoggingConfig = Type.Object({
  LogProjectId: Type.Optional(Text),
  LogSetups: Type.Optional(Type.Array(Type.Object({ LogType: Type.Optional(Text), LogTtl: Type.Optional(Whole), Enabled: Type.Optional(Type.Boolean()) }), { maxItems: 20 })),
})
