/** The process died here; whatever was done before stays done. */
export class Crash extends Error {}

export interface CrashPlan {
  calls: number
  readonly at: number
  readonly when: 'before' | 'after'
  /** While set, calls are not counted and nothing crashes. */
  isWaiting?: boolean
}

/** Wraps a port so that its n-th call, counted over all ports of one plan, crashes before or after it happens. Names in `spared` are not counted. */
export function crashing<Port extends object>(port: Port, plan: CrashPlan, spared: readonly string[] = []): Port {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function' || spared.includes(String(name))) return typeof value === 'function' ? value.bind(target) : value
      return async (...given: unknown[]) => {
        if (plan.isWaiting) return await value.apply(target, given)
        const mine = plan.calls++
        if (mine === plan.at && plan.when === 'before') throw new Crash(`before ${String(name)}`)
        const result: unknown = await value.apply(target, given)
        if (mine === plan.at && plan.when === 'after') throw new Crash(`after ${String(name)}`)
        return result
      }
    },
  })
}
