import type { Command } from 'commander'
import type { CentralNodePool, NodePool } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { DEFAULT_SCALING } from '#model/node-pool/scaling.ts'
import { UsageError } from '../errors.ts'
import { flag } from '../flags.ts'
import { parseSwitch, parseWhole } from '../parse.ts'

/** Flags of pools that order their machines. */
export interface ScalingFlags {
  readonly desired?: number
  readonly min?: number
  readonly max?: number
  readonly priority?: number
  readonly autoScaling?: boolean
  readonly mode?: string
}

export function withScaling(command: Command): Command {
  return command
    .addOption(flag('--desired <count>', 'how many machines it is to have').argParser(parseWhole))
    .addOption(flag('--min <count>', 'never fewer machines than this').argParser(parseWhole))
    .addOption(flag('--max <count>', 'never more machines than this').argParser(parseWhole))
    .addOption(flag('--priority <0-100>', 'which pool grows first where several could: the higher one').argParser(parseWhole))
    .addOption(flag('--auto-scaling <on|off>', 'whether it also grows when pods find no room').argParser(parseSwitch))
    .addOption(flag('--mode <mode>', 'what it does with a machine that it does not need: Release gives it back, Recycle switches it off and keeps it').choices(['Release', 'Recycle']))
}

export const SCALING_OPTIONS: readonly string[] = ['--desired', '--min', '--max', '--priority', '--auto-scaling', '--mode']

/** The API takes any desired number and keeps it within the pool's bounds; to who types one that is a mistake. `bounds`: those that the pool has, where it is there. */
export function checkDesired(flags: ScalingFlags, bounds: { readonly MinReplicas: number; readonly MaxReplicas: number } = { MinReplicas: DEFAULT_SCALING.minReplicas, MaxReplicas: DEFAULT_SCALING.maxReplicas }): void {
  const { desired, min = bounds.MinReplicas, max = bounds.MaxReplicas } = flags
  if (desired === undefined || min > max) return // The server refuses such bounds.
  if (desired > max) throw new UsageError(`--desired ${desired} is more than the pool may have, ${max}: say --max ${desired} too, or fewer`)
  if (desired < min) throw new UsageError(`--desired ${desired} is fewer than the pool always has, ${min}: say --min ${desired} too, or more`)
}

export function isScalingGiven(flags: ScalingFlags): boolean {
  return [flags.desired, flags.min, flags.max, flags.priority, flags.autoScaling, flags.mode].some(given => given !== undefined)
}

/** `AutoScaling` or `AutoScaleConfig`: only what was given. */
export function scalingOf(flags: ScalingFlags): object {
  return {
    ...flags.autoScaling !== undefined && { Enabled: flags.autoScaling }, ...flags.min !== undefined && { MinReplicas: flags.min }, ...flags.max !== undefined && { MaxReplicas: flags.max },
    ...flags.desired !== undefined && { DesiredReplicas: flags.desired }, ...flags.priority !== undefined && { Priority: flags.priority }, ...flags.mode !== undefined && { Mode: flags.mode },
  }
}

/** Changes a pool; a desired number of an elastic pool is set by ScaleUpEdgeNodePool, which also takes the number that was sent last. */
export async function changePool(client: EdgeholdClient, pool: NodePool, change: object, flags: ScalingFlags): Promise<void> {
  const place = { ClusterId: pool.ClusterId, Id: pool.Id }
  if (pool.Type === 'edge-machine-set' && isScalingGiven(flags)) throw new UsageError(`the pool ${pool.Name} is static: its nodes are machines that run an onboarding script, and it orders none`)
  if (flags.desired !== undefined) checkDesired(flags, await scalingOfPool(client, pool))
  if (pool.Type === 'machine-set') {
    await client.call('UpdateNodePoolConfig', { ...place, ...change, ...isScalingGiven(flags) && { AutoScaling: scalingOf(flags) } })
    return
  }
  const { desired, ...others } = flags
  const wants = isScalingGiven(others) ? { ElasticConfig: { AutoScaleConfig: scalingOf(others) } } : {}
  if (desired !== undefined) await client.call('ScaleUpEdgeNodePool', { ClusterId: pool.ClusterId, NodePoolId: pool.Id, DesiredReplicas: desired })
  if (Object.keys({ ...change, ...wants }).length > 0) await client.call('UpdateEdgeNodePoolConfig', { ...place, ...change, ...wants })
}

export const KINDS: Readonly<Record<string, string>> = { 'edge-machine-set': 'static', 'edge-machine-pool': 'elastic', 'machine-set': 'central' }

/** How many machines a pool is to have, as a line; undefined for static pools. */
export async function scalingText(client: EdgeholdClient, pool: NodePool): Promise<string | undefined> {
  const scaling = await scalingOfPool(client, pool)
  if (!scaling) return undefined
  return `${scaling.DesiredReplicas} asked for last, ${scaling.MinReplicas} to ${scaling.MaxReplicas}, ${scaling.Enabled ? `by itself, priority ${scaling.Priority}` : 'by hand'}${scaling.Mode === undefined ? '' : `, ${scaling.Mode}`}`
}

async function scalingOfPool(client: EdgeholdClient, pool: NodePool): Promise<CentralNodePool['AutoScaling'] | NonNullable<NodePool['ElasticConfig']>['AutoScaleConfig'] | undefined> {
  if (pool.ElasticConfig) return pool.ElasticConfig.AutoScaleConfig
  if (pool.Type !== 'machine-set') return undefined
  const { Items: [central] } = await client.call('ListNodePools', { Filter: { Ids: [pool.Id] } })
  return central?.AutoScaling
}
