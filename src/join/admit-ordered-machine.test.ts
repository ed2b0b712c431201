import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { claimOf } from '#model/node/claim.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, addNodePool, becauseOf, nodePoolSpec, NOON, SCOPE } from '#test/harness/sample-records.ts'
import { admitInvited } from './admit-ordered-machine.ts'
import { findInvitation, hashOf } from './onboarding-token.ts'
import { JoinRefused } from './refused.ts'

const machine = (secretHash: string, hostname = 'whatever') => ({ secretHash, hostname, architecture: 'amd64', machineId: 'm', address: '10.0.0.9', kernel: '6.1' })
const refusedWith = (status: number, words: RegExp) => (error: unknown) => error instanceof JoinRefused && error.status === status && words.test(error.message)

/** A pool with the nodes `a` and `b`, claimed and not joined; their tokens are `token-a` and `token-b`. */
async function claimedPair(): Promise<{ store: MemoryStore; readonly admit: (token: string, secretHash: string, now?: number, run?: string) => Promise<string> }> {
  const store = new MemoryStore(() => 0)
  await store.write(NOON, async tx => {
    await addCluster(tx, 'shop')
    await addNodePool(tx, 'counters', 'c-shop')
    const pool = { ...SCOPE, id: 'p-counters', clusterId: 'c-shop', spec: nodePoolSpec() }
    const claims = ['a', 'b'].map(name => {
      const { node, machine: row, ledger } = claimOf({ nodeId: `n-${name}`, now: NOON, pool, address: '10.0.0.9', name, firstBoot: 'line' })
      return { node, machine: row, ledger: { ...ledger, state: 'Intended' as const }, token: { tokenHash: hashOf(`token-${name}`), nodeId: node.id, machineId: row.id } }
    })
    await tx.insertClaims(claims, becauseOf('CreateNodes'))
  })
  return {
    store,
    async admit(token, secretHash, now = NOON, run) {
      const invitation = await findInvitation(store, SCOPE.region, token, now)
      return (await store.write(now, tx => admitInvited(tx, tx, invitation, { ...machine(secretHash), ...run !== undefined && { run } }, now, new Uint8Array(8)))).nodeName
    },
  }
}

describe('the token of a first boot', () => {
  test('makes its machine exactly the node for which it was ordered, whatever the machine is called', async () => {
    const { store, admit } = await claimedPair()
    assert.equal(await admit('token-a', 'secret-1'), 'a')
    const [a, b] = await store.nodesOf({ clusterId: 'c-shop' })
    assert.deepEqual([a?.spec.address, a?.facts.joinedAt, b?.facts.joinedAt], ['10.0.0.9', NOON, undefined])
    assert.equal((await store.findMachineSecret('secret-1'))?.nodeId, 'n-a')
  })

  test('may be shown again by the same machine, and by no other one', async () => {
    const { store, admit } = await claimedPair()
    await admit('token-a', 'secret-1')
    assert.equal(await admit('token-a', 'secret-1', NOON + 1), 'a')
    await assert.rejects(admit('token-a', 'secret-2'), refusedWith(409, /Another machine has joined as the node a/))
    await assert.rejects(admit('token-b', 'secret-1'), refusedWith(409, /already the node a/))
    assert.equal((await store.nodesOf({ clusterId: 'c-shop' })).length, 2)
  })

  test('takes back a step that failed, and the time begins anew', async () => {
    const { store, admit } = await claimedPair()
    await admit('token-a', 'secret-1')
    await store.write(NOON, async tx => {
      const node = await tx.lockNode('n-a')
      if (node) await tx.changeNode(node.id, { facts: { ...node.facts, initialiseFailed: { step: 'download', text: 'no space left', at: NOON } } }, becauseOf('report'))
    })
    assert.equal((await store.findNode('n-a'))?.said.status.phase, 'Failed')
    await admit('token-a', 'secret-1', NOON + 60_000)
    const node = await store.findNode('n-a')
    assert.deepEqual([node?.said.status.phase, node?.facts.machineExistsAt], ['Creating', NOON + 60_000])
  })

  test('shown at each try of one run begins the time anew once', async () => {
    const { store, admit } = await claimedPair()
    const existsAt = async () => (await store.findNode('n-a'))?.facts.machineExistsAt
    for (const minutes of [0, 10, 20, 30]) {
      await admit('token-a', 'secret-1', NOON + minutes * 60_000, '1')
      assert.equal(await existsAt(), NOON, `${minutes} min`)
    }
    await admit('token-a', 'secret-1', NOON + 40 * 60_000, '2')
    assert.equal(await existsAt(), NOON + 40 * 60_000, 'the script was begun again')
    await admit('token-a', 'secret-1', NOON + 60 * 60_000, '2')
    assert.equal(await existsAt(), NOON + 40 * 60_000)
  })

  test('is nothing any more once its node goes', async () => {
    const { store, admit } = await claimedPair()
    await store.write(NOON, async tx => {
      const node = await tx.lockNode('n-a')
      if (node) await tx.changeNode(node.id, { facts: { ...node.facts, deletion: { requestedAt: NOON, by: 'call', done: [] } } }, becauseOf('DeleteNodes'))
    })
    await assert.rejects(admit('token-a', 'secret-1'), refusedWith(409, /The node a is being deleted/))
    await store.write(NOON, async tx => {
      await tx.lockNode('n-a')
      await tx.forget({ kind: 'Node', id: 'n-a' }, { ...becauseOf('DeleteNodes'), text: 'gone' })
    })
    await assert.rejects(admit('token-a', 'secret-1'), refusedWith(403, /unknown here/))
    await assert.rejects(findInvitation(store, 'elsewhere', 'token-b', NOON), refusedWith(403, /gone/))
  })
})
