import { optionalObjects, optionalText, refuseMember, type Members } from '../request.ts'
import type { ResourceKind } from '../evidence.ts'
import { STATUS_TABLES } from './kinds.ts'

/** One element of `Filter.Statuses`: elements are ORed, both members of one must match. */
export interface StatusWanted {
  readonly phase?: string
  readonly condition?: string
}

/** The three spellings that clients have for the condition of a status filter (status-model.md 1). */
export const CONDITION_SPELLINGS = ['Conditions.Type', 'ConditionsType', 'EdgeNodeStatusConditionType'] as const

/** Spellings of conditions that clients have, and what we say. */
const CONDITION_ALIASES: Readonly<Record<string, string>> = { InitilizeFailed: 'InitializeFailed' }

/** Phases and conditions that the product's clients know and we never show (status-model.md 2–4, "not in the seed"): they match nothing and are no error. */
const KNOWN_ELSEWHERE = new Set([
  'Security', 'SetByProvider', 'SetByUser', 'ClusterVersionUpgrading', 'UpdatingCluster', 'SyncingAddon', 'SyncingNode', 'SyncingNodePool', 'Waiting',
  'Disconnected', 'InvalidCertificate', 'VersionPartlyUpgraded', 'Cluster',
])

/** `Filter.Statuses` of a list call; at most 15. Words that no table and no client knows are refused. `*` and an empty word stand for any. */
export function parseStatuses(filter: Members | undefined, kind: ResourceKind): readonly StatusWanted[] | undefined {
  const wanted = filter && optionalObjects(filter, 'Statuses', 15)
  return wanted?.map(one => {
    const phase = wordOf(one, 'Phase')
    const condition = CONDITION_SPELLINGS.map(spelling => wordOf(one, spelling)).find(word => word !== undefined)
    if (phase !== undefined && !isPhase(phase)) refuseMember(one, 'Phase', `no ${kind} has such a phase; there are ${phasesOf(kind).join(', ')}`)
    if (condition !== undefined && !isCondition(condition)) refuseMember(one, 'ConditionsType', 'no resource has such a condition')
    return { ...(phase === undefined ? {} : { phase }), ...(condition === undefined ? {} : { condition: CONDITION_ALIASES[condition] ?? condition }) }
  })
}

function wordOf(from: Members, name: string): string | undefined {
  const word = optionalText(from, name)
  return word === '' || word === '*' ? undefined : word
}

// Any kind's words are accepted for each kind: clients share one list, and a pair that this kind never shows matches nothing.
function isPhase(word: string): boolean {
  return Object.values(STATUS_TABLES).some(table => table.rows.some(row => row[0] === word))
}

function isCondition(word: string): boolean {
  return word in CONDITION_ALIASES || KNOWN_ELSEWHERE.has(word) || Object.values(STATUS_TABLES).some(table => table.rows.some(row => row[1] === word))
}

function phasesOf(kind: ResourceKind): readonly string[] {
  return [...new Set(STATUS_TABLES[kind].rows.map(row => row[0]))]
}
