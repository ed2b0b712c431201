/** SIGTERM, a second `up`, and what a dead server leaves behind. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { until } from '#test/harness/command.ts'
import { isAlive, MINUTE, Place, SECOND } from '#test/harness/place.ts'
import { passes } from '#test/harness/seed.ts'

describe('a server asked to end', () => {
  let place: Place
  let machineId = ''

  before(async () => {
    place = await Place.make()
    await place.up()
    machineId = await place.addMachine('till-1')
  })
  after(() => place.remove())

  async function leases(): Promise<number> {
    const [row] = await place.query<{ count: string }>('select count(*) as count from lease where expires_at > now()')
    return Number(row?.count)
  }

  test('calls under way get their answers, leases are given back, and it ends within 10 s', async () => {
    const pid = place.serverPid()
    assert.ok(await leases() >= 1, 'it has leases')
    const underWay = Array.from({ length: 5 }, (_, number) =>
      place.client.call('ExecInMachine', { Id: machineId, Command: ['sh', '-c', `sleep 6; echo answer ${number}`] }, { timeoutMs: MINUTE }))
    await until('the commands to run on the machine', async () => place.runsOn(machineId, 'sleep 6') === 5, 20 * SECOND, 20)
    const startedAt = performance.now()
    process.kill(pid, 'SIGTERM')
    const answers = await Promise.all(underWay)
    assert.deepEqual(answers.map(answer => answer.Output?.trim()), [0, 1, 2, 3, 4].map(number => `answer ${number}`))
    await until('the server to end', async () => !isAlive(pid), 15 * SECOND, 20)
    assert.ok(performance.now() - startedAt < 10 * SECOND, `it took ${Math.round(performance.now() - startedAt)} ms`)
    assert.equal(await leases(), 0, 'its leases are given back')
    await place.up()
  })

  test('a call that takes longer does not keep it: it ends within 10 s all the same', async () => {
    const pid = place.serverPid()
    const long = place.client.call('ExecInMachine', { Id: machineId, Command: ['sleep', '60'], TimeoutSeconds: 120 }, { timeoutMs: MINUTE }).catch((error: unknown) => error)
    await until('the command to run on the machine', async () => place.runsOn(machineId, 'sleep 60') === 1, 20 * SECOND, 20)
    const startedAt = performance.now()
    process.kill(pid, 'SIGTERM')
    await until('the server to end', async () => !isAlive(pid), 20 * SECOND, 20)
    assert.ok(performance.now() - startedAt < 10 * SECOND, `it took ${Math.round(performance.now() - startedAt)} ms`)
    assert.ok((await long) instanceof Error)
    await place.up()
  })

  test('a second up is refused and names the first', async () => {
    const again = await place.installation.run(['up'])
    assert.equal(again.code, 1)
    assert.match(again.stderr, new RegExp(`already runs.*process ${place.serverPid()}`))
    assert.equal(again.stdout, '')
    await place.call('ListMachines', {})
  })

  test('two ups at once: one serves, the other is refused', async () => {
    await place.down(false)
    const both = await Promise.all([place.installation.run(['up', '--detach'], { deadlineMs: MINUTE }), place.installation.run(['up', '--detach'], { deadlineMs: MINUTE })])
    assert.deepEqual(both.map(ended => ended.code).toSorted((a, b) => a - b), [0, 1], JSON.stringify(both))
    await place.call('ListMachines', {})
  })

  test('a mark of a dead server does not block the next, whatever has its pid by now or however it was torn', async () => {
    for (const torn of [undefined, '', '{"pid":', JSON.stringify({ pid: process.pid, startTicks: '1', endpoint: 'http://127.0.0.1:1', startedAt: 0 })]) {
      await place.killServer()
      if (torn !== undefined) writeFileSync(join(place.state, 'server.json'), torn)
      await place.up()
      await place.call('ListMachines', {})
    }
  })

  test('the port of the API taken: up says so and how to go on, and leaves nothing running', async () => {
    await place.down(false)
    const [host = '', port = ''] = place.installation.listen.split(':')
    const squatter = createServer(socket => socket.destroy())
    await new Promise<void>(resolve => squatter.listen(Number(port), host, resolve))
    const refused = await place.installation.run(['up', '--detach'], { deadlineMs: MINUTE })
    assert.equal(refused.code, 1)
    assert.match(refused.stdout + refused.stderr, /is taken by another program; give another address with --listen/)
    await new Promise(resolve => squatter.close(resolve))
    await passes(100)
    await place.up()
    await place.call('ListMachines', {})
  })
})
