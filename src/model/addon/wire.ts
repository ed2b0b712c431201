import { statusToWire } from '../status/wire.ts'
import { rfc3339Seconds } from '../time.ts'
import type { AddonRecord, SupportedAddon } from './record.ts'

/** An item of ListAddons (api.md 6, terraform-needs.md 8): modes as they were sent, Config a text that holds JSON. Without one the member is left out: an empty text is no JSON, and any other would show as a change where none was sent. */
export function addonToWire(addon: AddonRecord) {
  const { spec } = addon
  return {
    ClusterId: addon.clusterId, Name: spec.name, Version: spec.version, DeployMode: spec.deployMode, DeployNodeType: spec.deployNodeType, ...(spec.config === undefined ? {} : { Config: spec.config }),
    Status: statusToWire(addon.said.status), CreateTime: rfc3339Seconds(addon.createdAt), UpdateTime: rfc3339Seconds(addon.updatedAt),
    CreateClientToken: addon.createClientToken ?? '', UpdateClientToken: addon.updateClientToken ?? '',
  }
}

/** An item of ListSupportedAddons; the product's DeployModes and the sibling's DeployMode both, since clients read either. */
export function supportedAddonToWire(addon: SupportedAddon) {
  return {
    Name: addon.name,
    Versions: addon.versions.map(({ version, kubernetes }) => ({
      Version: version, CompatibleVersions: addon.versions.map(other => other.version).filter(other => other !== version), Compatibilities: kubernetes.map(minor => ({ KubernetesVersion: minor })),
    })),
    PodNetworkModes: addon.podNetworkModes, DeployModes: addon.deployModes, DeployMode: addon.deployModes.length > 1 ? 'Either' : addon.deployModes[0],
    DeployNodeTypes: addon.deployNodeTypes, Necessary: addon.necessary, Categories: addon.categories,
  }
}
