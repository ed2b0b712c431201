import { member, missing, optionalObject, optionalText, optionalWhole, optionalWord, type Members } from '../request.ts'
import type { MachineTemplate, NodePoolSpec, Scaling } from './record.ts'
import { MOST_DESIRED_REPLICAS, parseScaling } from './scaling.ts'

const AREA_TEXTS = ['AreaName', 'Isp', 'ClusterName', 'DefaultIsp', 'VpcIdentity', 'SubnetIdentity', 'SubnetId'] as const
export const EXTERNAL_NETWORK_MODES = [
  'single_interface_multi_ip', 'single_interface_cmcc_ip', 'single_interface_cucc_ip', 'single_interface_ctcc_ip', 'multi_interface_multi_ip', 'no_interface',
] as const

/** `ElasticConfig` (api.md 4): what is not given stays as it was; a new pool has to name the edge service. */
export function parseElasticConfig(config: Members, before: Pick<NodePoolSpec, 'scaling' | 'template'> = {}): { readonly scaling: Scaling; readonly template: MachineTemplate } {
  const cloudServerIdentity = optionalText(config, 'CloudServerIdentity', 128) || before.template?.cloudServerIdentity || missing(config, 'CloudServerIdentity')
  const scales = optionalObject(config, 'AutoScaleConfig')
  const area = optionalObject(config, 'InstanceArea')
  // A copy of the edge service's specification with names of that service's own: kept as it came, for the echo.
  const cloudServerConfig = optionalObject(config, 'CloudServerConfig')?.values ?? before.template?.cloudServerConfig
  return {
    scaling: parseScaling(scales ?? { ...config, values: {} }, before.scaling),
    template: {
      ...before.template, cloudServerIdentity, instanceArea: area ? parseArea(area) : (before.template?.instanceArea ?? {}),
      ...(cloudServerConfig === undefined ? {} : { cloudServerConfig }),
    },
  }
}

/** Members as they were sent: clients that named SubnetId see SubnetId, and others do not. */
function parseArea(area: Members): NonNullable<MachineTemplate['instanceArea']> {
  for (const name of AREA_TEXTS) optionalText(area, name, 128)
  optionalWord(area, 'ExternalNetworkMode', EXTERNAL_NETWORK_MODES)
  optionalWhole(area, 'DesiredReplicas', { min: 0, max: MOST_DESIRED_REPLICAS })
  const sent = [...AREA_TEXTS, 'ExternalNetworkMode', 'DesiredReplicas'].map(name => [name, member(area, name)] as const)
  return Object.fromEntries(sent.filter(([, value]) => value !== undefined))
}
