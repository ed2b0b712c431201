import type { ResourceKind } from '../evidence.ts'

/** Rows that the rules or the table know but no fact of today's controllers leads to, with the reason; a reader of the tables should not wait for them. */
// oxfmt-ignore
export const NOT_REACHED_YET: readonly (readonly [kind: ResourceKind, phase: string, condition: string, reason: string])[] = [
  ['Cluster',  'Failed',   'StockOut',             'control planes are hosted here and are never sold out'],
  ['Cluster',  'Failed',   'Balance',              'accounts are not billed yet'],
  ['Cluster',  'Stopped',  'Balance',              'accounts are not billed yet'],
  ['Cluster',  'Starting', 'Progressing',          'accounts are not billed yet'],
  ['NodePool', 'Failed',   'ClusterNotRunning',    'clusters stop for arrears only, and accounts are not billed yet'],
  ['NodePool', 'Running',  'StockOut',             'static pools order no machines'],
  ['NodePool', 'Running',  'LimitedByQuota',       'static pools order no machines'],
  ['NodePool', 'Running',  'Balance',              'static pools order no machines'],
  ['NodePool', 'Running',  'ScalingFailed',        'static pools order no machines'],
  ['Node',     'Starting', 'Progressing',          'only pools that start and stop their machines order power'],
  ['Node',     'Stopping', 'Progressing',          'only pools that start and stop their machines order power'],
  ['Node',     'Stopped',  'Ok',                   'only pools that start and stop their machines order power'],
  ['Node',     'Failed',   'Balance',              'machines that joined by script are their owner\'s and are never shut down for arrears'],
  ['Node',     'Failed',   'Unknown',              'a script runs on a machine that exists, so nothing fails before there is one'],
  ['Addon',    '*',        '*',                    'no action installs add-ons yet'],
]
