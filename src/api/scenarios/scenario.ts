/**
 * A scenario is data: public calls and steps of the clock, nothing else (own-actions.md, ListScenarios). What a call answers may be named with `As` and stands in later
 * requests as `<name>`: the answer's Id, the first of its Ids, or the Id of its first item.
 */
export interface CallStep {
  readonly Action: string
  readonly Request: Readonly<Record<string, unknown>>
  readonly As?: string
  /** It is the cause of what the scenario reaches: without it, that is not reached. */
  readonly Cause?: true
  /** The error that the call is expected to be refused with. */
  readonly Refused?: string
}

export interface ClockStep {
  /** As SetClock's Step: `90s`, `61m`, `2h`. */
  readonly Clock: string
}

export type Step = CallStep | ClockStep

export interface Row {
  readonly Kind: 'Cluster' | 'NodePool' | 'Node' | 'Addon'
  readonly Phase: string
  readonly Conditions: readonly string[]
  /** Whose it is, where others of its kind may come to it as well. */
  readonly Name?: string
}

export interface Scenario {
  readonly Name: string
  readonly Title: { readonly zh: string; readonly en: string }
  readonly Reaches: readonly Row[]
  readonly Steps: readonly Step[]
}

/** The first moment of every scenario's region. */
export const SCENARIO_START = '2026-01-05T08:00:00Z'

export function isCall(step: Step): step is CallStep {
  return 'Action' in step
}

/** A request with the names of earlier answers filled in. Throws where one is not known. */
export function filled(request: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof request === 'string') {
    return request.replaceAll(/<([a-z][a-zA-Z0-9]*)>/g, (_whole, name: string) => {
      const value = names.get(name)
      if (value === undefined) throw new Error(`E-SCENARIO: <${name}> is used before a call answered it`)
      return value
    })
  }
  if (Array.isArray(request)) return request.map(one => filled(one, names))
  if (typeof request === 'object' && request !== null) return Object.fromEntries(Object.entries(request).map(([key, value]) => [key, filled(value, names)]))
  return request
}

/** What `As` stands for. */
export function answeredId(result: unknown): string | undefined {
  const { Id, Ids, Items } = (result ?? {}) as { Id?: string; Ids?: readonly string[]; Items?: readonly { Id?: string }[] }
  return Id ?? Ids?.[0] ?? Items?.[0]?.Id
}

/** The same in a cluster that is there already; undefined where it is about how its cluster is made. */
export function inCluster(scenario: Scenario): Scenario | undefined {
  const making = scenario.Steps.findIndex(step => isCall(step) && step.As === 'cluster')
  if (scenario.Steps.slice(0, making + 1).some(step => isCall(step) && step.Cause)) return undefined
  const left = scenario.Steps.toSpliced(making, making < 0 ? 0 : 1)
  return left.some(isCall) ? { ...scenario, Steps: left } : undefined
}

/** The same without its causes, by which it shows that they are what it takes. */
export function withoutCause(scenario: Scenario): Scenario {
  return { ...scenario, Steps: scenario.Steps.filter(step => !isCall(step) || !step.Cause) }
}
