import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ControlPlaneHost, ControlPlaneOrder } from '#ports/control-plane-host.ts'
import { inTime, until } from '#test/harness/waiting.ts'

export interface ControlPlaneHostUnderTest {
  readonly host: ControlPlaneHost
  /** Two orders of clusters that nobody has. */
  order(number: 1 | 2): Promise<ControlPlaneOrder>
  /** Lets time pass where it does not by itself. */
  pass?(ms: number): Promise<void>
  close(): Promise<void>
}

const PATIENCE_MS = 60_000

/** The promises of the control-plane host, told as the life of one cluster beside another. */
export function controlPlaneHostContract(name: string, open: () => Promise<ControlPlaneHostUnderTest>, options: { readonly skip?: string | false } = {}): void {
  describe(`control-plane host contract: ${name}`, { skip: options.skip ?? false, timeout: 10 * PATIENCE_MS }, () => {
    let parts: ControlPlaneHostUnderTest, host: ControlPlaneHost, one: ControlPlaneOrder, other: ControlPlaneOrder
    const changed: string[] = [], stop = new AbortController()
    let watching: Promise<void>
    before(async () => {
      parts = await open()
      host = parts.host
      one = await parts.order(1)
      other = await parts.order(2)
      watching = host.watch(clusterId => changed.push(clusterId), stop.signal)
    })
    after(async () => {
      stop.abort()
      await inTime(watching, 'the watch to end', PATIENCE_MS)
      await parts.close()
    })

    const states = async (order: ControlPlaneOrder) => (await host.look(order.clusterId)).components.map(({ state }) => state)
    const allRun = async (order: ControlPlaneOrder) => {
      await until(async () => {
        await parts.pass?.(1_000)
        return (await states(order)).every(state => state === 'running')
      }, PATIENCE_MS)
    }
    const starts = async (order: ControlPlaneOrder) => (await host.look(order.clusterId)).components.map(({ recentStarts }) => recentStarts)

    test('of a cluster that was never made there is nothing, and that can be taken away', async () => {
      const { network, components, dataLost, takesCopy } = await host.look(one.clusterId)
      assert.deepEqual([network, components.map(({ name: each }) => each).toSorted(), dataLost, takesCopy], [false, ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'], undefined, undefined])
      assert.deepEqual(await states(one), ['absent', 'absent', 'absent', 'absent'])
      await host.ensureGone(one.clusterId)
      await host.ensureStopped(one.clusterId)
    })

    test('an order starts every component, and whoever watches is told', async () => {
      await host.ensure(one)
      assert.equal((await host.look(one.clusterId)).network, true)
      await allRun(one)
      await until(() => changed.includes(one.clusterId))
    })

    test('the same order again starts nothing again', async () => {
      const before = await starts(one)
      await host.ensure(one)
      await parts.pass?.(1_000)
      assert.deepEqual(await starts(one), before)
    })

    test('routes are replaced as a whole, as often as one likes', async () => {
      await host.ensureRoutes(one.clusterId, [])
      await host.ensureRoutes(one.clusterId, [])
    })

    test('stopped, nothing of it runs; the next order starts all of it', async () => {
      await host.ensureStopped(one.clusterId)
      assert.ok((await states(one)).every(state => state !== 'running'))
      await host.ensureStopped(one.clusterId)
      await host.ensure(one)
      await allRun(one)
    })

    test('two clusters live side by side, and the end of one is no matter of the other', async () => {
      await host.ensure(other)
      await allRun(other)
      const before = await starts(other)
      await host.ensureGone(one.clusterId)
      const { network } = await host.look(one.clusterId)
      assert.deepEqual([network, ...await states(one)], [false, 'absent', 'absent', 'absent', 'absent'])
      await host.ensureGone(one.clusterId)
      assert.deepEqual([await states(other), await starts(other)], [['running', 'running', 'running', 'running'], before])
      await host.ensureGone(other.clusterId)
    })
  })
}
