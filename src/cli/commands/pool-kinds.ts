import { UsageError } from '../errors.ts'
import type { Kind } from '../given.ts'
import { SCALING_OPTIONS } from './pool-scaling.ts'

/** What each kind of pool takes besides its cluster, labels and taints, which all have. */
export const POOL_KINDS = {
  static: { takes: [], said: 'a static pool (without --elastic and --central)' },
  elastic: { takes: ['--cloud-server', '--area', ...SCALING_OPTIONS], said: 'an elastic pool (--elastic)' },
  central: { takes: ['--server-type', '--subnet', ...SCALING_OPTIONS], said: 'a central pool (--central)' },
  default: { takes: [], said: 'the default pool of a cluster (--central, and the name default)' },
} as const satisfies Readonly<Record<string, Kind>>

export function kindOf(name: string, flags: { readonly elastic?: boolean; readonly central?: boolean }): keyof typeof POOL_KINDS {
  if (flags.elastic && flags.central) throw new UsageError('a pool is elastic or central, not both')
  if (flags.elastic) return 'elastic'
  if (!flags.central) return 'static'
  return name === 'default' ? 'default' : 'central'
}
