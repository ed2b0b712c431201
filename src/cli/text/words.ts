import type { Resource, Status } from '#client/calls.ts'

/** `Running [Ok]`. */
export function statusWords(status: Status | null): string {
  return status ? `${status.Phase} [${status.Conditions.map(condition => condition.Type).join(', ')}]` : 'gone'
}

/** How long ago, in the largest unit that says something: `45s`, `12m`, `3h`, `9d`. */
export function age(time: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(time)) / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`
}

const KINDS: Readonly<Record<string, string>> = { Cluster: 'cluster', NodePool: 'node pool', Node: 'node', Addon: 'add-on', Onboarding: 'onboarding script' }

/** `node pool counters`. */
export function resourceWords(resource: Pick<Resource, 'Kind' | 'Name'>): string {
  return `${KINDS[resource.Kind] ?? resource.Kind} ${resource.Name}`
}

/** Ends in exactly one full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim()
  return /[.!?。]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

/** 2026-11-25T19:02:03.456Z as `19:02:03` if it is of that day, else with its date. */
export function clock(time: string, now: number): string {
  const [date = '', rest = ''] = time.split('T')
  const hours = rest.slice(0, 8)
  return new Date(now).toISOString().startsWith(date) ? hours : `${date} ${hours}`
}
