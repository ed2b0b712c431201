import type { Store } from '#ports/store.ts'

/** The same store, but for the methods that `own` has at the moment of a call. */
export function storeWith(store: Store, own: () => Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const found: unknown = Reflect.get(own(), name) ?? Reflect.get(target, name, target)
      return typeof found === 'function' ? found.bind(target) as unknown : found
    },
  })
}
