import { parseAddress } from '../cidr.ts'
import { countsToWire, statusToWire } from '../status/wire.ts'
import { rfc3339Seconds } from '../time.ts'
import type { ClusterRecord } from './record.ts'

/** An item of ListClusters, member for member as terraform-needs.md 3 asks: exact echoes, no nulls, BillingType and Ipv4 always there, LoggingConfig only if asked for. `advertised`: by which API servers of the region are reached from outside. */
export function clusterToWire(cluster: ClusterRecord, advertised?: string) {
  const { spec } = cluster
  return {
    Id: cluster.id, Name: spec.name, Description: spec.description, Profile: spec.profile,
    CreateClientToken: cluster.createClientToken ?? '', UpdateClientToken: cluster.updateClientToken ?? '',
    CreateTime: rfc3339Seconds(cluster.createdAt), UpdateTime: rfc3339Seconds(cluster.updatedAt),
    // The text that was sent. A caller that sent none is told what runs.
    KubernetesVersion: spec.kubernetesVersion ?? spec.servedVersion,
    // A member of our own: what runs, which need not be what was asked for. Clients of the product read past it.
    ServedVersion: spec.servedVersion,
    Status: statusToWire(cluster.said.status),
    DeleteProtectionEnabled: spec.deleteProtectionEnabled, EdgeTunnelEnabled: spec.edgeTunnelEnabled,
    ClusterConfig: {
      VpcId: `vpc-${cluster.region}`, SubnetIds: spec.subnetIds, SecurityGroupIds: [] as string[],
      ApiServerPublicAccessEnabled: spec.apiServerPublicAccessEnabled,
      ApiServerPublicAccessConfig: {
        PublicAccessNetworkConfig: { BillingType: spec.publicAccess.billingType, Bandwidth: spec.publicAccess.bandwidth, ...(spec.publicAccess.isp === undefined ? {} : { Isp: spec.publicAccess.isp }) },
      },
      // An empty public address spares clients the look-up of an elastic address, which would be another product's. A DNS name is no IPv4.
      ApiServerEndpoints: {
        PrivateIp: { Ipv4: cluster.address ?? '' },
        PublicIp: { Ipv4: spec.apiServerPublicAccessEnabled && cluster.address !== undefined && advertised !== undefined && parseAddress(advertised) !== undefined ? advertised : '' },
      },
      ResourcePublicAccessDefaultEnabled: spec.resourcePublicAccessDefaultEnabled,
    },
    PodsConfig: {
      PodNetworkMode: spec.podNetworkMode,
      ...(spec.podNetworkMode === 'Flannel' ? { FlannelConfig: { PodCidrs: spec.podCidrs, ...(spec.maxPodsPerNodeIsDefault ? {} : { MaxPodsPerNode: spec.maxPodsPerNode }) } } : { VpcCniConfig: { VpcId: `vpc-${cluster.region}`, SubnetIds: spec.vpcCniSubnetIds } }),
    },
    ServicesConfig: { ServiceCidrsv4: spec.serviceCidrs },
    NodeStatistics: countsToWire(cluster.counts),
    Tags: spec.tags.map(tag => ({ Key: tag.key, Value: tag.value, Type: 'Custom' })),
    ...(spec.logging ? {
      LoggingConfig: {
        LogProjectId: spec.logging.logProjectId,
        LogSetups: spec.logging.logSetups.map(setup => ({ LogType: setup.logType, LogTtl: setup.logTtl, Enabled: setup.enabled })),
      },
    } : {}),
  }
}
