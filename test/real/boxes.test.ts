import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { MachineOff, type MachineSeen } from '#ports/machines.ts'
import { hardwareAddress } from '#providers/local/host-network/settings.ts'
import { BoxWorld, eventually, host, PATIENCE, repositoryFolder } from './boxes-harness.ts'

const world = new BoxWorld()
after(() => world.dispose())
const boxes = world.boxes()
const soon = () => AbortSignal.timeout(20_000 * PATIENCE)
const sh = async (id: string, command: string) => (await boxes.exec(id, ['sh', '-c', command], { signal: soon() })).output
const answersPing = (address: string) => spawnSync('ip', ['neigh', 'flush', 'dev', world.bridge]).status === 0 && spawnSync('/bin/sh', ['-c', `timeout ${PATIENCE} bash -c 'exec 3<>/dev/tcp/${address}/9' 2>&1 | grep -q refused`]).status === 0

test('nothing becomes one machine, with a name, an address, a machine-id and nothing of the host', async () => {
  const order = world.order(1)
  const seen = await boxes.ensure(order)
  assert.deepEqual([seen.power, seen.link, seen.lastOnAt], ['on', 'up', seen.powerSince])
  assert.equal(await sh(order.id, 'cat /etc/machine-id'), `${seen.machineId}\n`)
  assert.equal(await sh(order.id, 'hostname; cat /proc/1/comm'), 'shop-1\nsh\n')
  assert.match(await sh(order.id, 'ip -br address show eth0'), new RegExp(`${order.address}/24`))
  // Whoever gets the address after it has the same one, so that no neighbour looks for it in vain.
  assert.match(await sh(order.id, 'cat /sys/class/net/eth0/address'), new RegExp(hardwareAddress(order.address)))
  assert.ok(answersPing(order.address), 'its network is there')
  assert.equal(await sh(order.id, `ls -A /root /home /etc/ssh | grep -v :; ls ${world.stateDir} 2>/dev/null`), '\n\n')
  assert.equal(await sh(order.id, 'cat /etc/shadow'), 'root:*:19000:0:99999:7:::\n')
})

test('its resolver asks nobody and says so at once', async () => {
  const began = Date.now()
  const { exitCode } = await boxes.exec(world.order(1).id, ['getent', 'hosts', 'example.com'], { signal: soon() })
  assert.notEqual(exitCode, 0)
  assert.ok(Date.now() - began < 3_000 * PATIENCE)
  assert.match(await sh(world.order(1).id, 'getent hosts shop-1'), /shop-1/)
})

test('files written inside do not show outside', async () => {
  await sh(world.order(1).id, 'echo inside > /usr/local/edgehold-box-test')
  assert.ok(!existsSync('/usr/local/edgehold-box-test'))
})

test('what runs in it is in its cgroups, which are its roots', async () => {
  const lines = (await sh(world.order(1).id, 'cat /proc/self/cgroup')).trim().split('\n')
  for (const line of lines) assert.match(line, /:\/(init)?$/)
  // On v2 its processes live in a leaf of its own, since what hands controllers down may hold none.
  const leaf = existsSync('/sys/fs/cgroup/cgroup.controllers') ? '/init' : ''
  for (const file of host(`find /sys/fs/cgroup -path '*edgehold-${world.hash}/boxes/${world.order(1).id}${leaf}/cgroup.procs'`).trim().split('\n')) assert.notEqual(readFileSync(file, 'utf8'), '', file)
})

test('the same order twice changes nothing', async () => {
  const first = await boxes.look(world.order(1).id)
  assert.deepEqual(await boxes.ensure(world.order(1)), first)
})

test('two at once make one', async () => {
  const order = world.order(2)
  const seen = await Promise.all([boxes.ensure(order), world.boxes().ensure(order), boxes.ensure(order)])
  assert.deepEqual(seen[0], seen[1])
  assert.deepEqual(seen[0], seen[2])
  assert.equal(host(`pgrep -fc 'box-launc[h].sh' || true`).trim() >= '2', true)
})

test('cut and heal are the cable, and boxes reach each other over it', async () => {
  const reach = `timeout ${2 * PATIENCE} bash -c 'exec 3<>/dev/tcp/${world.order(2).address}/9' 2>&1 | grep -q refused && echo reached || true`
  assert.equal((await sh(world.order(1).id, reach)).trim(), 'reached')
  assert.equal((await boxes.ensure(world.order(2, 'on', 'cut'))).link, 'cut')
  assert.equal((await sh(world.order(1).id, reach)).trim(), '')
  assert.equal((await boxes.look(world.order(2).id))?.power, 'on')
  assert.equal((await boxes.ensure(world.order(2))).link, 'up')
  await eventually('healed', async () => (await sh(world.order(1).id, reach)).trim() === 'reached')
})

test('off and on keeps disk, address and machine-id, and loses what was in memory', async () => {
  const { id } = world.order(1)
  const before = await boxes.look(id)
  await sh(id, 'echo kept > /var/lib/kubelet/file; echo kept > /etc/edgehold-test; echo lost > /run/file; sync')
  const off = await boxes.ensure(world.order(1, 'off'))
  assert.deepEqual([off.power, off.lastOnAt, off.machineId], ['off', before?.lastOnAt, before?.machineId])
  assert.ok(!answersPing(world.order(1).address))
  await assert.rejects(boxes.exec(id, ['true'], { signal: soon() }), MachineOff)
  const on = await boxes.ensure(world.order(1))
  assert.equal(on.machineId, before?.machineId)
  assert.ok((on.lastOnAt ?? 0) > off.powerSince)
  assert.equal(await sh(id, 'cat /var/lib/kubelet/file /etc/edgehold-test; cat /run/file 2>/dev/null'), 'kept\nkept\n')
})

test('a switched-off machine ends in good order', async () => {
  const { id } = world.order(1)
  await sh(id, `cat > /etc/rc.local <<'END'
#!/bin/sh
trap 'echo orderly > /etc/ended; exit' TERM
echo booted >> /etc/boots
while :; do sleep 0.1 & wait $!; done
END
chmod +x /etc/rc.local`)
  await boxes.ensure(world.order(1, 'off'))
  await boxes.ensure(world.order(1))
  await eventually('/etc/rc.local ran', async () => (await sh(id, 'cat /etc/boots 2>/dev/null')) === 'booted\n')
  await boxes.ensure(world.order(1, 'off'))
  await boxes.ensure(world.order(1))
  assert.equal(await sh(id, 'cat /etc/ended'), 'orderly\n')
  await sh(id, 'rm /etc/rc.local')
})

test('process 1 collects orphans', async () => {
  const { id } = world.order(1)
  await sh(id, 'for i in 1 2 3; do (sleep 0.05 &) ; done')
  await eventually('no zombie is left', async () => !(await sh(id, "cat /proc/[0-9]*/stat 2>/dev/null | grep -F ') Z ' || true")))
})

test('a full disk is a real event', async () => {
  const { id } = world.order(1)
  const { output } = await boxes.exec(id, ['sh', '-c', 'dd if=/dev/zero of=/var/lib/kubelet/fill bs=4M 2>&1; df --output=pcent /var/lib/kubelet | tail -1; rm /var/lib/kubelet/fill'], { signal: AbortSignal.timeout(120_000 * PATIENCE) })
  assert.match(output, /No space left/)
  assert.match(output, /100%/)
})

test('a crash and a killed process 1 are told at once', async () => {
  const stop = new AbortController()
  const told: MachineSeen[] = []
  const watching = world.boxes().watch((seen) => told.push(seen), stop.signal)
  const { id } = world.order(2)
  const ofTwo = () => told.filter((seen) => seen.id === id).at(-1)
  await eventually('first states', () => ofTwo()?.power === 'on' && told.some((seen) => seen.id === world.order(1).id))
  const pid = Number(readFileSync(`${world.stateDir}/boxes/state/${id}.run`, 'utf8').split(' ')[0])
  process.kill(pid, 'SIGKILL')
  await eventually('the process has ended', () => !existsSync(`/proc/${pid}`))
  // 100 ms on an idle machine; the bound leaves room for a busy one and is still below the slow look of one second.
  await eventually('told', () => ofTwo()?.power === 'off', 900)
  await boxes.ensure(world.order(2))
  await eventually('told on', () => ofTwo()?.power === 'on')
  await boxes.crash(id)
  await eventually('told off', () => ofTwo()?.power === 'off')
  await boxes.crash(id)
  await boxes.ensure(world.order(2, 'on', 'cut'))
  await eventually('told cut', () => ofTwo()?.power === 'on' && ofTwo()?.link === 'cut')
  host(`ip link set ${host(`ip -o link show master ${world.bridge} | awk -F'[ @:]+' '/LOWERLAYERDOWN|state DOWN/ { print $2 }'`).trim()} up`)
  await eventually('told a cable pulled by hand', () => ofTwo()?.link === 'up', 3_000)
  stop.abort()
  await watching
})

test('a box outlives its server and is adopted by the next one', async () => {
  const order = world.order(3)
  const script = `import { BoxWorld } from '${repositoryFolder}/test/real/boxes-harness.ts'
import { Boxes } from '#providers/local/boxes/boxes.ts'
import { systemClock } from '#main/system-clock.ts'
const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
const boxes = new Boxes({ ...${JSON.stringify({ stateDir: world.stateDir, hash: world.hash, bridge: world.bridge, gateway: `${world.subnet}.1`, prefixLength: 24, diskBytes: 512 * 1024 ** 2 })}, clock: systemClock, log })
const seen = await boxes.ensure(${JSON.stringify(order)})
console.log(JSON.stringify(seen))
process.kill(process.pid, 'SIGKILL')`
  const child = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script.replace(/^import \{ BoxWorld.*\n/, '')], { cwd: repositoryFolder, encoding: 'utf8' })
  assert.equal(child.signal, 'SIGKILL', child.stderr)
  assert.deepEqual(await boxes.look(order.id), JSON.parse(child.stdout))
  assert.equal(await sh(order.id, 'hostname'), 'shop-3\n')
})

test('an end that nobody wrote down is noticed', async () => {
  const order = world.order(3)
  // Its waiter goes first, as when the whole host goes down.
  host(`cat $(find /sys/fs/cgroup -path '*edgehold-${world.hash}/box-waiters/${order.id}/cgroup.procs' | head -1) | xargs kill -9`)
  process.kill(Number(readFileSync(`${world.stateDir}/boxes/state/${order.id}.run`, 'utf8').split(' ')[0]), 'SIGKILL')
  const off = await eventually('off', async () => { const seen = await boxes.look(order.id); return seen?.power === 'off' ? seen : undefined })
  assert.ok(off.lastOnAt)
  assert.deepEqual(await boxes.look(order.id), off)
  assert.equal((await boxes.ensure(order)).power, 'on')
})

test('a half-made machine is made whole', async () => {
  const order = world.order(4)
  await boxes.ensure({ ...order, power: 'off' })
  assert.equal((await boxes.look(order.id))?.power, 'off')
  // As if the server had died between any two steps: a namespace without a cable, a half-written disk, cgroups with a stray process.
  host(`ip netns add eh${world.hash}-box-${order.id}`)
  rmSync(`${world.stateDir}/boxes/${order.id}/disk.img`)
  writeFileSync(`${world.stateDir}/boxes/${order.id}/disk.img.part`, 'half')
  host(`d=/sys/fs/cgroup/$(ls /sys/fs/cgroup | grep -qx cpu && echo cpu)/edgehold-${world.hash}/boxes/${order.id}; mkdir -p $d; sleep 1000 > /dev/null 2>&1 & echo $! > $d/cgroup.procs`)
  assert.equal((await boxes.ensure(order)).power, 'on')
  assert.equal(await sh(order.id, 'hostname'), 'shop-4\n')
  await eventually('only the sleep of process 1', async () => await sh(order.id, 'pgrep -c sleep || true') === '1\n')
})

test('a command is told in pieces, takes input, ends when aborted, and keeps its last 256 KiB', async () => {
  const { id } = world.order(4)
  const pieces: string[] = []
  const echoed = await boxes.exec(id, ['sh', '-c', 'cat; exit 3'], { stdin: 'hello', signal: soon(), onOutput: (chunk) => pieces.push(chunk) })
  assert.deepEqual([echoed, pieces.join('')], [{ exitCode: 3, output: 'hello' }, 'hello'])
  const abort = new AbortController()
  const sleeping = boxes.exec(id, ['sleep', '12345'], { signal: abort.signal })
  await eventually('it runs', async () => (await sh(id, 'pgrep -fc "sleep 1234[5]" || true')).trim() === '1')
  abort.abort(new Error('enough'))
  await assert.rejects(sleeping, /enough/)
  await eventually('it ended', async () => (await sh(id, 'pgrep -fc "sleep 1234[5]" || true')).trim() === '0')
  assert.equal((await boxes.exec(id, ['sh', '-c', 'head -c 400000 /dev/zero | tr "\\0" x'], { signal: soon() })).output.length, 256 * 1024)
})

test('two state folders do not touch each other', async () => {
  const other = new BoxWorld()
  try {
    const order = other.order(1)
    await other.boxes().ensure(order)
    assert.equal(await boxes.look(order.id), undefined)
    await other.boxes().ensureGone(order.id)
    assert.equal((await boxes.look(world.order(4).id))?.power, 'on')
  } finally {
    await other.dispose()
  }
})

test('gone leaves nothing, and gone again is success', async () => {
  for (const number of [1, 2, 3, 4]) await boxes.ensureGone(world.order(number).id)
  await boxes.ensureGone(world.order(1).id)
  assert.equal(await boxes.look(world.order(1).id), undefined)
  assert.deepEqual(world.left(), [])
})
