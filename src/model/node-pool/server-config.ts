import { missing, optionalFlag, optionalObject, optionalObjects, optionalText, optionalTexts, optionalWhole, optionalWord, refuseMember, requiredObject, type Members } from '../request.ts'
import { optionalTags } from '../tags.ts'

/** `NodeConfig` of a central pool as answers show it, defaults filled in. Passwords are not kept: no answer may show one, and no machine of ours is logged in to by one. */
export type ServerConfig = Readonly<Record<string, unknown>>

const DEFAULT_VOLUME = 'ESSD_PL0'
const PERIODS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 24, 36]
const RENEWALS = [1, 2, 3, 6, 12]

/** What every NodeConfig shows; clients crash without most of it (terraform-needs.md 4). */
const EMPTY: ServerConfig = {
  InstanceTypeIds: [], SubnetIds: [], ImageId: '', SystemVolume: { Type: DEFAULT_VOLUME, Size: 40 }, DataVolumes: [], InitializeScript: '', NamePrefix: '',
  AdditionalContainerStorageEnabled: false, InstanceChargeType: 'PostPaid', AutoRenew: false, Tags: [], HpcClusterIds: [],
  Security: { SecurityGroupIds: [], SecurityStrategies: [], SecurityStrategyEnabled: false, Login: { Type: 'SshKeyPair', SshKeyPairName: '' } },
}

/** CreateNodePool's NodeConfig: types of servers, subnets and the way in are required. */
export function parseServerConfig(config: Members): ServerConfig {
  for (const name of ['InstanceTypeIds', 'SubnetIds']) if (!optionalTexts(config, name)?.length) missing(config, name)
  requiredObject(config, 'Security')
  return mergeServerConfig(config, EMPTY)
}

/** CreateDefaultNodePool's: servers are added to it one by one, so it says nothing of what they are. */
export function parseDefaultServerConfig(config: Members | undefined): ServerConfig {
  return config ? mergeServerConfig(config, EMPTY) : EMPTY
}

/** What is not given stays as it was; an empty list takes all away. */
export function mergeServerConfig(config: Members, before: ServerConfig): ServerConfig {
  const chargeType = optionalWord(config, 'InstanceChargeType', ['PostPaid', 'PrePaid']) ?? before['InstanceChargeType']
  return {
    ...before,
    ...texts(config, 'InstanceTypeIds', { some: true }), ...texts(config, 'SubnetIds', { some: true }), ...texts(config, 'HpcClusterIds', { atMost: 1 }),
    ...text(config, 'ImageId', 128), ...base64(config, 'InitializeScript'), ...base64(config, 'PreScript'), ...text(config, 'NamePrefix', 51), ...text(config, 'ContainerStoragePath', 256),
    ...flag(config, 'AdditionalContainerStorageEnabled'), ...flag(config, 'AutoRenew'), ...flag(config, 'KeepInstanceName'),
    InstanceChargeType: chargeType, ...prepaid(config, chargeType === 'PrePaid', before),
    ...systemVolume(config), ...dataVolumes(config), ...security(config, before),
    ...(config.values['Tags'] === undefined ? {} : { Tags: optionalTags(config).map(tag => ({ Key: tag.key, Value: tag.value })) }),
  }
}

function prepaid(config: Members, isPrePaid: boolean, before: ServerConfig): object {
  const [period, renewal] = [optionalWhole(config, 'Period', { min: 0, max: 36 }), optionalWhole(config, 'AutoRenewPeriod', { min: 0, max: 12 })]
  if (period && !PERIODS.includes(period)) refuseMember(config, 'Period', `it must be one of ${PERIODS.join(', ')}`)
  if (renewal && !RENEWALS.includes(renewal)) refuseMember(config, 'AutoRenewPeriod', `it must be one of ${RENEWALS.join(', ')}`)
  if (!isPrePaid) return {}
  const autoRenew = optionalFlag(config, 'AutoRenew') ?? (before['InstanceChargeType'] === 'PrePaid' ? before['AutoRenew'] : true)
  return { Period: period || (before['Period'] ?? 12), AutoRenew: autoRenew, AutoRenewPeriod: renewal || (before['AutoRenewPeriod'] ?? 1) }
}

function systemVolume(config: Members): object {
  const volume = optionalObject(config, 'SystemVolume')
  return volume ? { SystemVolume: { Type: optionalText(volume, 'Type', 64) || DEFAULT_VOLUME, Size: optionalWhole(volume, 'Size', { min: 20, max: 2048 }) ?? 40 } } : {}
}

function dataVolumes(config: Members): object {
  const volumes = optionalObjects(config, 'DataVolumes', 15)?.map(volume => {
    const mountPoint = optionalText(volume, 'MountPoint', 256)
    if (mountPoint && !mountPoint.startsWith('/')) refuseMember(volume, 'MountPoint', 'it must be an absolute path')
    return { Type: optionalText(volume, 'Type', 64) || DEFAULT_VOLUME, Size: optionalWhole(volume, 'Size', { min: 20, max: 32_768 }) ?? 20, ...(mountPoint ? { MountPoint: mountPoint } : {}) }
  })
  return volumes ? { DataVolumes: volumes } : {}
}

function security(config: Members, before: ServerConfig): object {
  const sent = optionalObject(config, 'Security')
  if (!sent) return {}
  const old = (before['Security'] ?? EMPTY['Security']) as ServerConfig
  const strategies = optionalTexts(sent, 'SecurityStrategies') ?? (old['SecurityStrategies'] as readonly string[])
  if (strategies.some(strategy => strategy !== 'Hids')) refuseMember(sent, 'SecurityStrategies', 'its elements must be Hids')
  return { Security: { ...old, ...texts(sent, 'SecurityGroupIds'), SecurityStrategies: strategies, SecurityStrategyEnabled: strategies.length > 0, ...login(sent) } }
}

function login(sent: Members): object {
  const config = optionalObject(sent, 'Login')
  if (!config) return {}
  const [password, keyPair] = [base64(config, 'Password')['Password'], optionalText(config, 'SshKeyPairName', 128) || undefined]
  if (password && keyPair !== undefined) refuseMember(config, 'SshKeyPairName', 'a password is there too; send one of them')
  return { Login: password ? { Type: 'Password', SshKeyPairName: '' } : { Type: 'SshKeyPair', SshKeyPairName: keyPair ?? '' } }
}

function texts(config: Members, name: string, { some = false, atMost }: { readonly some?: boolean; readonly atMost?: number } = {}): object {
  const list = optionalTexts(config, name, atMost)
  if (some && list?.length === 0) missing(config, name)
  return list ? { [name]: list } : {}
}

function text(config: Members, name: string, limit: number): object {
  const value = optionalText(config, name, limit)
  return value === undefined ? {} : { [name]: value }
}

function flag(config: Members, name: string): object {
  const value = optionalFlag(config, name)
  return value === undefined ? {} : { [name]: value }
}

/** 16 KiB of text is what clouds take for a script. */
const LONGEST_BASE64 = 22_000

function base64(config: Members, name: string): { readonly [name: string]: string } {
  const value = optionalText(config, name, LONGEST_BASE64)
  if (value === undefined) return {}
  if (!/^[A-Za-z0-9+/\r\n]*={0,2}\s*$/.test(value)) refuseMember(config, name, 'it must be base64')
  return { [name]: value }
}
