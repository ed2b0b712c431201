import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { OutsideHeld, type OutsideKind, type OutsideOrder, type OutsideResources } from '#ports/outside.ts'

export interface OutsideUnderTest {
  readonly outside: OutsideResources
  pass(ms: number): Promise<void>
  /** Sets or takes off the deletion protection of a thing that was made. */
  protect(token: string, on: boolean): Promise<void>
  close(): Promise<void>
}

const KINDS: readonly OutsideKind[] = ['LoadBalancer', 'Nat', 'SecurityGroup', 'Address', 'Disk']

/** The promises of what makes load balancers and the like. */
export function outsideContract(name: string, open: () => Promise<OutsideUnderTest>, options: { readonly skip?: string | false } = {}): void {
  describe(`outside contract: ${name}`, { skip: options.skip ?? false }, () => {
    let parts: OutsideUnderTest, outside: OutsideResources
    before(async () => {
      parts = await open()
      outside = parts.outside
    })
    after(() => parts.close())
    const order = (number: number, kind: OutsideKind = 'LoadBalancer'): OutsideOrder => ({ token: `c${number}/${kind}`, kind, accountId: '2100000001', clusterId: `c${number}`, name: `shop-${kind}` })

    for (const kind of KINDS) {
      test(`nothing becomes one ${kind}, in time, and the same order gives the same thing`, async () => {
        assert.equal(await outside.look(order(1, kind).token), undefined)
        const made = await outside.ensure(order(1, kind))
        assert.equal((await outside.ensure(order(1, kind))).providerId, made.providerId)
        await parts.pass(60_000)
        assert.deepEqual(await outside.look(order(1, kind).token), { providerId: made.providerId, state: 'ready', deleteProtected: false })
      })
    }

    test('another order is another thing', async () => {
      assert.notEqual((await outside.ensure(order(2))).providerId, (await outside.ensure(order(3))).providerId)
    })

    test('one becomes nothing, twice, and others are left alone', async () => {
      await outside.ensure(order(4))
      await outside.ensure(order(5))
      await outside.ensureGone(order(4).token)
      assert.equal(await outside.look(order(4).token), undefined)
      await outside.ensureGone(order(4).token)
      assert.ok(await outside.look(order(5).token))
    })

    test('what is protected stays and says which call was refused, until it is protected no more', async () => {
      const { providerId } = await outside.ensure(order(6))
      await parts.protect(order(6).token, true)
      assert.equal((await outside.look(order(6).token))?.deleteProtected, true)
      await assert.rejects(outside.ensureGone(order(6).token), (error: unknown) => error instanceof OutsideHeld && error.message.includes(providerId) && error.message.includes('DeleteLoadBalancer'))
      await parts.protect(order(6).token, false)
      await outside.ensureGone(order(6).token)
      assert.equal(await outside.look(order(6).token), undefined)
    })
  })
}
