import { isRetried, mayBeLeft } from '#model/node-pool/refusal.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { Controller } from '#ports/controller.ts'
import { givenBackBy, refusedPools, retryRefused, type GivenBack } from '#ports/refused-pools.ts'
import type { NodePoolPorts } from './ports.ts'
import { isScaled } from './scale.ts'

/**
 * For each machine that was given back one pool of its account in its region, which was refused machines, tries again at once: its own one first, then those that have waited longest. All of them would only be refused
 * once more. The key is written where the machine's record goes, so nothing that is given back is forgotten; a pass that is run twice lets one more of them try.
 */
export function givenBackController(ports: NodePoolPorts): Controller {
  return {
    kind: 'given-back',
    async reconcile(id) {
      const gone = givenBackBy(id)
      const now = ports.regionOf(gone.region).clock.now()
      const waiting = (await refusedPools(ports.store, gone)).filter(pool => waits(pool, gone, now))
      for (const pool of waiting.toSorted((one, other) => inOrder(one, other, gone))) if (await lets(pool, gone, now, ports)) break
      return {}
    },
  }
}

/** One that is about to try anyway will find it; for that one another one would be passed over. One that leaves it to other pools wants none. */
function waits({ spec, facts: { refused } }: NodePoolRecord, { machineId }: GivenBack, now: number): boolean {
  return spec.scaling !== undefined && refused !== undefined && mayBeLeft(refused) && refused.waits !== 0 && refused.claim !== machineId && !isRetried(refused, now)
}

function inOrder(one: NodePoolRecord, other: NodePoolRecord, { nodePoolId }: GivenBack): number {
  return Number(other.id === nodePoolId) - Number(one.id === nodePoolId) || (one.facts.refused?.since ?? 0) - (other.facts.refused?.since ?? 0) || (one.id < other.id ? -1 : 1)
}

/** Lets it try; true if it can now. One that cannot does as soon as its cluster takes machines again. */
async function lets({ id }: NodePoolRecord, gone: GivenBack, now: number, { store }: NodePoolPorts): Promise<boolean> {
  return await store.write(now, async tx => {
    const pool = await tx.lockNodePool(id)
    if (!pool || !waits(pool, gone, now)) return false
    await retryRefused(tx, pool, now)
    return isScaled(pool, await tx.lockCluster(pool.clusterId), pool.facts)
  })
}
