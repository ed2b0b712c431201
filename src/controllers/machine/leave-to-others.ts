import { givenBackKey, refusedPools } from '#ports/refused-pools.ts'
import type { MachineRecord, Store, WorkKey } from '#ports/store.ts'
import type { MachinePassPorts } from './ports.ts'

type Gone = Pick<MachineRecord, 'id' | 'accountId' | 'region' | 'ownedBy'>
export type GivenBackKey = WorkKey & { readonly region: string }

/**
 * The key by which pools that were refused machines hear that this one was given back (status-rules.md, node pool 8), to be enqueued where its record goes; undefined where nobody waits. Also for one that was never told to be there: of an error
 * nobody knows what it left behind, and a claim that failed was perhaps tried in place of another pool's. Machines that go at the same time share a look: of a fleet that is taken down each would look through all pools of its account.
 */
export function leavesToOthers(store: Store): (gone: Gone) => Promise<GivenBackKey | undefined> {
  const soon = new Map<string, Promise<boolean>>()
  return async gone => {
    const place = `${gone.accountId}/${gone.region}`
    const known = soon.get(place)
    const anybody = known ?? new Promise<void>(resolve => { setImmediate(resolve) }).then(async () => {
      soon.delete(place)
      return (await refusedPools(store, gone)).length > 0
    })
    if (!known) soon.set(place, anybody)
    return await anybody ? givenBackKey(gone) : undefined
  }
}

/** Once its record is gone: `left` is what was enqueued with that. A pool that said that it waits since it was looked for saw the machine there still. */
export async function leaveToLateOnes(gone: MachineRecord, left: GivenBackKey | undefined, ports: MachinePassPorts): Promise<void> {
  const late = left ? undefined : await ports.leaveToOthers(gone)
  if (late) await ports.store.write(ports.regionOf(gone.region).clock.now(), tx => tx.enqueue(late))
}
