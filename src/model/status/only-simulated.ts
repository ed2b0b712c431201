import type { ResourceKind } from '../evidence.ts'

/** Rows that no cause on a real region of today leads to, with the reason; simulated regions reach them all (docs/generated/status-proof.md). */
// oxfmt-ignore
export const ONLY_SIMULATED: readonly (readonly [kind: ResourceKind, phase: string, condition: string, reason: string])[] = [
  ['Cluster',  'Failed',   'StockOut',              'control planes are hosted on this host and are never sold out'],
  ['NodePool', 'Running',  'StockOut',              'machines of this host are never sold out'],
  ['Addon',    'Updating', 'Progressing',           'of the add-ons only core-dns is installed on real regions, with the cluster'],
  ['Addon',    'Failed',   'NameConflict',          'core-dns is there before anything else'],
  ['Addon',    'Failed',   'ResourceCleanupFailed', 'core-dns cannot be deleted'],
]
