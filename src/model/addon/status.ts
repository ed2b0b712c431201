import { statusTable, type ConditionSets, type PhaseOf, type StatusOf } from '../status/table.ts'

// oxfmt-ignore
/** Add-ons (组件): status-model.md 5. */
export const ADDON_STATUS = statusTable([
  // phase       condition                origin  zh          en                   what it means
  ['Creating', 'Progressing',           'seed', '安装中',   'installing',        'It is being installed.'],
  ['Running',  'Ok',                    'seed', '已安装',   'installed',         'All its workloads are available.'],
  ['Updating', 'Progressing',           'seed', '更新中',   'updating',          'Its configuration or version is being changed.'],
  ['Deleting', 'Progressing',           'seed', '卸载中',   'uninstalling',      'It is being uninstalled.'],
  ['Failed',   'NameConflict',          'seed', '失败',     'failed',            'An object of its name exists in the cluster and is not its own.'],
  ['Failed',   'CrashLoopBackOff',      'seed', '异常',     'abnormal',          'Its containers start and end again and again.'],
  ['Failed',   'ImagePullBackOff',      'seed', '失败',     'failed',            'An image that it needs cannot be pulled.'],
  ['Failed',   'ClusterNotRunning',     'seed', '异常',     'abnormal',          'Its cluster is stopped, or has not been seen working since it was.'],
  ['Failed',   'Degraded',              'seed', '异常',     'abnormal',          'It works, with fewer pods than asked for or with mixed versions.'],
  ['Failed',   'SchedulingFailed',      'seed', '失败',     'failed',            'No node fits its pods.'],
  ['Failed',   'ResourceCleanupFailed', 'seed', '卸载失败', 'uninstall failed',  'A custom resource or cloud resource of it could not be removed.'],
  ['Failed',   'Unknown',               'seed', '失败',     'failed',            'It failed for an unknown cause.'],
])

/** Workloads of one add-on may fail for several reasons at once (status-rules.md, add-on row 5: "for that reason"). */
export const ADDON_CONDITIONS_TOGETHER: ConditionSets = [
  ['Failed', ['CrashLoopBackOff', 'ImagePullBackOff']],
  ['Failed', ['CrashLoopBackOff', 'SchedulingFailed']],
  ['Failed', ['ImagePullBackOff', 'SchedulingFailed']],
  ['Failed', ['CrashLoopBackOff', 'ImagePullBackOff', 'SchedulingFailed']],
]

export type AddonPhase = PhaseOf<typeof ADDON_STATUS>
export type AddonStatus = StatusOf<typeof ADDON_STATUS>
