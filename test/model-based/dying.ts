/** One process's life: whatever it does goes through ports that end with it. */
export interface Life {
  effects: number
  /** It dies at this effect. */
  at?: number
  when?: 'before' | 'after'
  dead: boolean
  died?: PromiseWithResolvers<void>
  /** Told after each effect. */
  onEffect?: (() => void) | undefined
}

class Died extends Error {}

/** A port as a process has it that dies at one of its effects: from then on nothing that it calls does anything. What was done before stays done. */
export function dying<Port extends object>(port: Port, life: Life, effects: readonly string[]): Port {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (!effects.includes(String(name))) {
        return (...given: unknown[]): unknown => {
          if (life.dead) throw new Died('the process is dead')
          return value.apply(target, given)
        }
      }
      return async (...given: unknown[]): Promise<unknown> => {
        if (life.dead) throw new Died('the process is dead')
        const mine = life.effects++
        if (mine === life.at && life.when === 'before') die(life, `before ${String(name)}`)
        const result: unknown = await value.apply(target, given)
        life.onEffect?.()
        if (mine === life.at && life.when === 'after') die(life, `after ${String(name)}`)
        return result
      }
    },
  })
}

function die(life: Life, where: string): never {
  life.dead = true
  life.died?.resolve()
  throw new Died(where)
}
