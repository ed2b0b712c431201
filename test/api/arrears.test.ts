import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ACTIONS } from '#api/actions/all.ts'
import { PRODUCT_VERSION } from '#api/action.ts'
import { openSmallWorld } from './small-world.ts'
import { OURS } from './api-under-test.ts'

/** Product calls that take away are taken in arrears, as far as their preconditions go; so are those of ours that order nothing that costs. */
// oxfmt-ignore
const TAKEN_OF_OURS: Readonly<Record<string, string>> = {
  SetBalance: 'it is how arrears end', SetQuota: 'a limit of the world', SetStock: 'a limit of the world', SetClock: 'time goes on', InjectFault: 'the world\'s', ClearFault: 'the world\'s', SetImage: 'somebody else\'s registry',
  PutObject: 'done with kubectl, for as long as the cluster\'s API answers', DeleteObject: 'done with kubectl', SetWorkload: 'done with kubectl', CreateRegion: 'another region has a balance of its own', DeleteRegion: 'it takes away',
  RunScenario: 'it plays in a region of its own', RemoveMachine: 'it takes away', SetMachine: 'to switch off, cut, or run a script orders nothing; to switch on is refused', ExecInMachine: 'a command in a machine that is there',
}

async function inArrears() {
  const world = await openSmallWorld(), { api } = world
  const scope = { accountId: OURS.accountId, region: 'local-1' }
  const hour = 3_600_000
  await api.store.write(api.now, async tx => {
    const account = await tx.lockAccount(scope)
    await tx.putAccount({ ...account, balance: { amount: 0, at: api.now - 4 * hour, spentBefore: 0n }, arrearsSince: api.now - 4 * hour, stoppedSince: api.now - 2 * hour })
  })
  return world
}

describe('an account in arrears past its grace time', () => {
  const writes = ACTIONS.filter(({ kind }) => kind === 'write')
  const isTaken = (name: string, version: string) => version === PRODUCT_VERSION ? name.startsWith('Delete') : name in TAKEN_OF_OURS
  for (const { name } of writes.filter(action => !isTaken(action.name, action.version))) {
    test(`${name} is refused, and says why and since when`, async () => {
      const { api, valid } = await inArrears()
      const before = await api.everything()
      const { status, body: { ResponseMetadata: { Error: error } } } = await api.call(name, valid[name])
      assert.deepEqual([status, error?.Code], [400, 'OperationDenied.Balance'])
      assert.equal(error?.Message, `The account is in arrears since 2026-11-25T08:00:00Z, and its grace time ended at 2026-11-25T10:00:00Z: ${name} is taken again once it is paid.`)
      assert.deepEqual(await api.everything(), before)
      await api.app.close()
    })
  }

  for (const { name } of writes.filter(action => isTaken(action.name, action.version))) {
    test(`${name} is taken: ${TAKEN_OF_OURS[name] ?? 'it takes away'}`, async () => {
      const { api, valid } = await inArrears()
      const { body } = await api.call(name, valid[name], name === 'DeleteRegion' ? { region: 'local-1' } : {})
      const { Error: error } = body.ResponseMetadata
      // No region can be made here, which is no matter of money.
      if (name === 'RunScenario') assert.notEqual(error?.Code, 'OperationDenied.Balance')
      else assert.equal(error, undefined)
      await api.app.close()
    })
  }

  test('a machine is not switched on, for it costs while it is on; off, crashed, cut and connected it may be', async () => {
    const { api, machineId } = await inArrears()
    for (const how of [{ Power: 'on' }, { Power: 'on', Link: 'up' }]) assert.equal((await api.call('SetMachine', { Id: machineId, ...how })).body.ResponseMetadata.Error?.Code, 'OperationDenied.Balance')
    for (const how of [{ Power: 'off' }, { Power: 'crash' }, { Link: 'cut' }, { Link: 'up' }]) await api.done('SetMachine', { Id: machineId, ...how })
    await api.app.close()
  })

  test('within the grace time nothing is refused', async () => {
    const { api, valid } = await inArrears()
    await api.store.write(api.now, async tx => {
      const { stoppedSince: _stopped, ...account } = await tx.lockAccount({ accountId: OURS.accountId, region: 'local-1' })
      await tx.putAccount(account)
    })
    for (const name of ['CreateCluster', 'AddMachine', 'SetNodeSchedulable']) await api.done(name, valid[name])
    await api.app.close()
  })
})
