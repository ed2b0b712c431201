import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MachineOff, type MachineOrder, type Machines, type MachineSeen } from '#ports/machines.ts'
import { inTime, until } from '#test/harness/waiting.ts'

/** What an implementation gives: orders of machines of its own, and time that passes where it does not by itself. */
export interface MachinesUnderTest {
  readonly machines: Machines
  order(number: number, power?: 'on' | 'off', link?: 'up' | 'cut'): MachineOrder
  pass?(ms: number): Promise<void>
  /** Somebody changes how many may be had, where the implementation tells of it. */
  changeSupply?(): Promise<void>
  /** The join endpoint refuses the script that was begun on it with this text, where nobody else hears a script's end. */
  turnAway?(id: string, text: string): Promise<void>
  close(): Promise<void>
}

/** The promises of the machines' port, each with machines of its own, so that one implementation serves them all. */
export function machinesContract(name: string, open: () => MachinesUnderTest | Promise<MachinesUnderTest>): void {
  describe(`machines contract: ${name}`, () => {
    let parts: MachinesUnderTest, machines: Machines
    before(async () => {
      parts = await open()
      machines = parts.machines
    })
    after(() => parts.close())
    const later = async () => { await parts.pass?.(1_000) }

    test('nothing becomes one, and the same order twice changes nothing', async () => {
      const order = parts.order(51)
      assert.equal(await machines.look(order.id), undefined)
      const first = await machines.ensure(order)
      assert.deepEqual([first.id, first.power, first.link, first.lastOnAt], [order.id, 'on', 'up', first.powerSince])
      assert.match(first.machineId, /^[0-9a-f]{32}$/)
      await later()
      assert.deepEqual(await machines.ensure(order), first)
      assert.deepEqual(await machines.look(order.id), first)
    })

    test('one that is ordered off is made and is off', async () => {
      const seen = await machines.ensure(parts.order(52, 'off'))
      assert.deepEqual([seen.power, seen.lastOnAt], ['off', undefined])
      assert.equal((await machines.ensure(parts.order(52))).power, 'on')
    })

    test('of one that a pool ordered it tells by whom, to whoever looks and whoever watches', async () => {
      const order = { ...parts.order(63, 'off'), nodePoolId: 'p63' }
      assert.equal((await machines.ensure(order)).nodePoolId, 'p63')
      assert.equal((await machines.look(order.id))?.nodePoolId, 'p63')
      const stop = new AbortController()
      const told = Promise.withResolvers<MachineSeen>()
      const watching = machines.watch(seen => { if (seen.id === order.id) told.resolve(seen) }, stop.signal)
      assert.equal((await inTime(told.promise, 'the watch to tell of it')).nodePoolId, 'p63')
      stop.abort()
      await inTime(watching, 'the watch to end')
      await machines.ensureGone(order.id)
    })

    test('off and on again is the same machine, and tells since when', async () => {
      const on = await machines.ensure(parts.order(53))
      await later()
      const off = await machines.ensure(parts.order(53, 'off'))
      assert.deepEqual([off.power, off.machineId, off.lastOnAt], ['off', on.machineId, on.lastOnAt])
      assert.ok(off.powerSince > on.powerSince)
      await later()
      const again = await machines.ensure(parts.order(53))
      assert.deepEqual([again.power, again.machineId, again.lastOnAt], ['on', on.machineId, again.powerSince])
      assert.ok(again.powerSince > off.powerSince)
    })

    test('a crash is off at once, of one that is off nothing', async () => {
      const { id } = await machines.ensure(parts.order(54))
      await later()
      await machines.crash(id)
      await until(async () => (await machines.look(id))?.power === 'off')
      await machines.crash(id)
      assert.equal((await machines.look(id))?.power, 'off')
      // What runs commands on machines that are on, or scripts where there are no commands.
      const runs = machines.exec?.(id, ['true'], { signal: AbortSignal.timeout(5_000) }) ?? machines.runScript?.(id, 'true') ?? assert.fail()
      await assert.rejects(runs, (error: unknown) => error instanceof MachineOff && error.kind === 'MachineOff')
    })

    test('the link is cut and healed apart from the power', async () => {
      const on = await machines.ensure(parts.order(55))
      const cut = await machines.ensure(parts.order(55, 'on', 'cut'))
      assert.deepEqual([cut.link, cut.power, cut.powerSince], ['cut', 'on', on.powerSince])
      assert.equal((await machines.ensure(parts.order(55))).link, 'up')
    })

    test('a watch tells what is, then every change, and ends', async () => {
      const { id } = await machines.ensure(parts.order(56))
      const seen: MachineSeen[] = [], stop = new AbortController()
      const watching = machines.watch(one => { if (one.id === id) seen.push(one) }, stop.signal)
      await until(() => seen.length > 0)
      await later()
      await machines.ensure(parts.order(56, 'off'))
      await until(() => seen.at(-1)?.power === 'off')
      await machines.ensure(parts.order(56, 'off', 'cut'))
      await until(() => seen.at(-1)?.link === 'cut')
      stop.abort()
      await inTime(watching, 'the watch to end')
      const told = seen.length
      await machines.ensure(parts.order(56))
      assert.equal(seen.length, told)
    })

    test('one becomes nothing, twice, and others are left alone', async () => {
      const [one, other] = [await machines.ensure(parts.order(57)), await machines.ensure(parts.order(58))]
      await machines.ensureGone(one.id)
      assert.equal(await machines.look(one.id), undefined)
      await machines.ensureGone(one.id)
      await machines.ensureGone('mnever0000000000000')
      assert.deepEqual(await machines.look(other.id), other)
    })

    test('a change of how many may be had is another supply; what is made and removed is none', async t => {
      if (!machines.supply || !parts.changeSupply) return t.skip('it tells of no supply')
      const before = await machines.supply()
      await machines.ensure(parts.order(59))
      await machines.ensureGone(parts.order(59).id)
      assert.equal(await machines.supply(), before)
      await parts.changeSupply()
      const after = await machines.supply()
      assert.notEqual(after, before)
      await parts.changeSupply()
      assert.notEqual(await machines.supply(), after)
    })

    test('of a script that was refused it tells to whoever looks and whoever watches, until one begins anew', async t => {
      if (!machines.runScript || !parts.turnAway) return t.skip('whoever starts a script hears its end')
      const { id } = await machines.ensure(parts.order(64)), line = 'curl -fsS https://join.invalid/join/script/token -o script && sh script'
      await parts.pass?.(60_000)
      await machines.runScript(id, line)
      assert.equal((await machines.look(id))?.turnedAway, undefined)
      await parts.turnAway(id, 'The script expired.')
      const refused = (await machines.look(id))?.turnedAway
      assert.deepEqual([refused?.text, refused?.failed], ['The script expired.', true])
      const stop = new AbortController(), seen: MachineSeen[] = []
      const watching = machines.watch(one => { if (one.id === id) seen.push(one) }, stop.signal)
      await until(() => seen.at(-1)?.turnedAway?.text === 'The script expired.')
      await later()
      await machines.runScript(id, line)
      await until(() => seen.at(-1)?.turnedAway === undefined)
      stop.abort()
      await inTime(watching, 'the watch to end')
    })

    test('two at once make one', async () => {
      const order = parts.order(59)
      const [one, other] = await Promise.all([machines.ensure(order), machines.ensure(order)])
      assert.deepEqual(one, other)
    })
  })
}
