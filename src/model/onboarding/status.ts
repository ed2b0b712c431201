import { statusTable, type ConditionSets, type StatusOf } from '../status/table.ts'

// oxfmt-ignore
/** Onboarding scripts (纳管脚本): a template with a lifetime always shows this one row (status-model.md 6); expired ones stay listed. */
export const ONBOARDING_STATUS = statusTable([
  // phase       condition  origin     zh          en           what it means
  ['Creating', 'Ok',      'sibling', '创建中',   'creating',  'The script can be run until its TTLTime; each machine that runs it becomes a node.'],
])

export const ONBOARDING_CONDITIONS_TOGETHER: ConditionSets = []

export type OnboardingStatus = StatusOf<typeof ONBOARDING_STATUS>

/** What every onboarding script shows. */
export const ONBOARDING_SHOWS: OnboardingStatus = { phase: 'Creating', conditions: ['Ok'] }
