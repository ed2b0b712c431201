import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { givenOf } from '../given.ts'
import { SCALING_OPTIONS } from './pool-scaling.ts'

type Kind = 'static' | 'elastic' | 'central' | 'default'

/** What each kind of pool takes besides its cluster, labels and taints, which all have. */
const TAKES: Readonly<Record<Kind, readonly string[]>> = {
  static: [],
  elastic: ['--cloud-server', '--area', ...SCALING_OPTIONS],
  central: ['--server-type', '--subnet', ...SCALING_OPTIONS],
  default: [],
}

const SAID: Readonly<Record<Kind, string>> = {
  static: 'a static pool (without --elastic and --central)', elastic: 'an elastic pool (--elastic)', central: 'a central pool (--central)', default: 'the default pool of a cluster (--central, and the name default)',
}

const OF_SOME_KIND = new Set(Object.values(TAKES).flat())

export function kindOf(name: string, flags: { readonly elastic?: boolean; readonly central?: boolean }): Kind {
  if (flags.elastic && flags.central) throw new UsageError('a pool is elastic or central, not both')
  if (flags.elastic) return 'elastic'
  if (!flags.central) return 'static'
  return name === 'default' ? 'default' : 'central'
}

/** Refuses options that would do nothing for a pool of this kind. A variable is for all commands, and counts where it means something. */
export function refuseForeign(kind: Kind, command: Command): void {
  const foreign = givenOf(command).find(long => OF_SOME_KIND.has(long) && !TAKES[kind].includes(long))
  if (foreign === undefined) return
  const takers = (Object.keys(TAKES) as Kind[]).filter(one => TAKES[one].includes(foreign))
  throw new UsageError(`${foreign} does nothing for ${SAID[kind]}: it is for ${takers.map(one => SAID[one]).join(' and ')}`)
}
