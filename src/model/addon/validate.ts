import { refuse } from '../errors/catalogue.ts'
import { optionalClientToken } from '../naming.ts'
import { membersOf, optionalText, optionalWord, refuseMember, requiredText, type Members } from '../request.ts'
import { resourceWords } from '../cluster/validate.ts'
import type { AddonSpec, SupportedAddon } from './record.ts'

export interface AddonCreation {
  readonly clusterId: string
  readonly clientToken: string | undefined
  readonly spec: AddonSpec
}

/** Of the cluster that an add-on is for. */
export interface AddonHome {
  /** E.g. `v1.35.4`. */
  readonly servedVersion: string
  readonly podNetworkMode: string
}

/** CreateAddon (api.md 6). Without a version the newest one that is for the cluster's Kubernetes. Throws Refusal. */
export function parseCreateAddon(body: unknown, catalogue: readonly SupportedAddon[], home: AddonHome): AddonCreation {
  const request = membersOf('CreateAddon', body)
  const [clusterId, name] = [requiredText(request, 'ClusterId'), requiredText(request, 'Name')]
  const supported = supportedAddon(request, name, catalogue)
  if (!supported.podNetworkModes.includes(home.podNetworkMode)) refuseMember(request, 'Name', `${name} is for clusters of the pod network ${supported.podNetworkModes.join(', ')}, and this one has ${home.podNetworkMode}`)
  const version = versionOf(request, supported, home, optionalText(request, 'Version', 64))
  const deployMode = optionalWord(request, 'DeployMode', ['Unmanaged', 'Managed']) ?? (supported.deployModes.includes('Managed') ? 'Managed' : 'Unmanaged')
  if (!supported.deployModes.includes(deployMode)) refuseMember(request, 'DeployMode', `${name} is deployed ${supported.deployModes.join(' or ')} only`)
  const deployNodeType = optionalText(request, 'DeployNodeType', 64) || 'Node'
  if (!supported.deployNodeTypes.includes(deployNodeType)) refuseMember(request, 'DeployNodeType', `${name} runs on ${supported.deployNodeTypes.join(' or ')} only`)
  const config = configOf(request)
  return { clusterId, clientToken: optionalClientToken(request), spec: { name, version, deployMode, deployNodeType, ...(config !== undefined && { config }) } }
}

export interface AddonTarget {
  readonly clusterId: string
  readonly name: string
  readonly clientToken: string | undefined
}

export function parseUpdateAddonConfig(body: unknown): AddonTarget & { readonly config: string } {
  const request = membersOf('UpdateAddonConfig', body)
  const config = configOf(request)
  if (config === undefined) return refuse('MissingParameter.{Parameter}', { Parameter: 'Config' })
  return { ...targetOf(request), config }
}

export function parseUpdateAddonVersion(body: unknown, catalogue: readonly SupportedAddon[], home: AddonHome): AddonTarget & { readonly version: string } {
  const request = membersOf('UpdateAddonVersion', body)
  const target = targetOf(request)
  return { ...target, version: versionOf(request, supportedAddon(request, target.name, catalogue), home, requiredText(request, 'Version', 64)) }
}

/** What becomes of its custom resource definitions; they stay unless they are asked to go (status-rules.md, Deletion). */
export function parseDeleteAddon(body: unknown): AddonTarget & { readonly crds: 'Delete' | 'Retain' } {
  const request = membersOf('DeleteAddon', body)
  const [cascading, retain] = [resourceWords(request, 'CascadingDeleteResources', ['Crd']), resourceWords(request, 'RetainResources', ['Crd'])]
  return { ...targetOf(request), crds: cascading.includes('Crd') && !retain.includes('Crd') ? 'Delete' : 'Retain' }
}

/** Clients look for these words and then stop asking (terraform-needs.md 8). */
export const REQUIRED_ADDON = 'it is forbidden to delete required addon'

function targetOf(request: Members): AddonTarget {
  return { clusterId: requiredText(request, 'ClusterId'), name: requiredText(request, 'Name'), clientToken: optionalClientToken(request) }
}

function supportedAddon(request: Members, name: string, catalogue: readonly SupportedAddon[]): SupportedAddon {
  return catalogue.find(addon => addon.name === name) ?? refuseMember(request, 'Name', `there is no such add-on; there are ${catalogue.map(addon => addon.name).join(', ')}`)
}

function versionOf(request: Members, { name, versions }: SupportedAddon, { servedVersion }: AddonHome, asked: string | undefined): string {
  const minor = minorOf(servedVersion)
  const fitting = versions.filter(version => version.kubernetes.includes(minor))
  if (!asked) return fitting.at(-1)?.version ?? refuseMember(request, 'Name', `no version of ${name} is for Kubernetes ${minor}`)
  const known = versions.find(version => version.version === asked)
  if (!known) return refuseMember(request, 'Version', `${name} has the versions ${versions.map(version => version.version).join(', ')}`)
  if (!known.kubernetes.includes(minor)) refuseMember(request, 'Version', `${asked} of ${name} is for Kubernetes ${known.kubernetes.join(', ')}, and the cluster runs ${minor}`)
  return asked
}

/** A text that holds a JSON object, kept as it was sent; an empty one counts as none. */
function configOf(request: Members): string | undefined {
  const config = optionalText(request, 'Config', 65_536)
  if (!config) return undefined
  try {
    const value: unknown = JSON.parse(config)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return config
  } catch {
    // told below, as any other text that is no JSON object
  }
  return refuseMember(request, 'Config', 'it must be a text that holds a JSON object')
}

/** `v1.35.4` → `1.35`. */
export function minorOf(version: string): string {
  return version.replace(/^v/, '').split('.').slice(0, 2).join('.')
}
