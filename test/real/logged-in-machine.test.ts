import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { repository, until } from '#test/harness/command.ts'
import { MINUTE, Place, SECOND } from '#test/harness/place.ts'
import { missingForControlPlanes } from './control-plane-harness.ts'

const PASSWORD = 'tr0ub4dor-und-drei'
/** What an onboarded machine has of ours; nothing on one that has none. */
const LEFT = 'ls -d /etc/edgehold /opt/edgehold 2>/dev/null; nft list tables; pgrep -af "/opt/[e]dgehold/"; true'
/** What the SSH server of the test needs. */
const PACKAGES = ['ssh2', 'asn1', 'bcrypt-pbkdf', 'safer-buffer', 'tweetnacl']

/** Boxes with an SSH server in them stand for machines that somebody else set up. */
suite('a machine that is known by address and password', { skip: missingForControlPlanes() ?? false, timeout: 900_000 }, () => {
  let place: Place, cluster = '', pool = ''
  // Boxes see what lies there before they are made, and nothing of where this repository may lie.
  const folder = mkdtempSync('/var/tmp/edgehold-ssh-')

  before(async () => {
    mkdirSync(join(folder, 'node_modules'))
    for (const name of PACKAGES) cpSync(join(repository, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true })
    for (const name of ['ssh-server.ts', 'ssh-server-process.ts']) copyFileSync(join(repository, 'test/harness', name), join(folder, name))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    try {
      linkSync(process.execPath, join(folder, 'node'))
    } catch {
      copyFileSync(process.execPath, join(folder, 'node')) // on another file system
    }
    place = await Place.make()
    await place.up()
    cluster = await place.createCluster('shop', 1)
    pool = await place.createPool(cluster, 'counters')
  })
  after(async () => {
    await place?.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  const on = async (Id: string, command: string, Stdin = ''): Promise<string> => {
    const { ExitCode, Output } = await place.client.call('ExecInMachine', { Id, Command: ['sh', '-c', command], Stdin, TimeoutSeconds: 60 }, { timeoutMs: 2 * MINUTE })
    assert.equal(ExitCode, 0, Output)
    return Output
  }
  /** A box that listens for logins. */
  const machine = async (name: string): Promise<{ id: string; address: string }> => {
    const id = await place.addMachine(name)
    const address = (await place.call('ListMachines', { Filter: { Ids: [id] } })).Items[0]?.Address ?? ''
    await on(id, `cat > /root/password; setsid ${folder}/node --disable-warning=ExperimentalWarning ${folder}/ssh-server-process.ts ${address} 22 < /root/password > /root/ssh.log 2>&1 & until grep -q listening /root/ssh.log 2> /dev/null; do sleep 0.1; done`, PASSWORD)
    return { id, address }
  }
  const create = async (Name: string, Address: string, Password = PASSWORD): Promise<string> => {
    const { Ids: [id = ''] } = await place.call('CreateEdgeNode', { ClusterId: cluster, NodePoolId: pool, Name, AutoCompleteConfig: { Enable: true, Address, MachineAuth: { AuthType: 'Password', User: 'root', SSHPort: 22, Password } } })
    return id
  }
  const pairOf = async (id: string): Promise<string> => {
    const [item] = (await place.call('ListEdgeNodes', { Filter: { Ids: [id] } })).Items
    return item ? `${item.Status.Phase}/${item.Status.Conditions.map(({ Type }) => Type).join('+')}` : 'absent'
  }
  const removed = async (id: string): Promise<void> => {
    await place.call('DeleteEdgeNodes', { ClusterId: cluster, NodePoolId: pool, Ids: [id] })
    await place.reaches('the deleted node', () => pairOf(id), 'absent', MINUTE, id)
  }
  const log = (): string => readdirSync(join(place.state, 'log')).map(name => readFileSync(join(place.state, 'log', name), 'utf8')).join('')
  /** All rows of all tables, and all lines of the log. */
  const written = async (): Promise<string> => {
    const tables = await place.query<{ name: string }>(`select table_schema || '.' || table_name as name from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`)
    let text = ''
    for (const { name } of tables) text += (await place.query<{ row: string }>(`select t::text as row from ${name} t`)).map(({ row }) => row).join('\n')
    return text + log()
  }

  let till: { id: string; address: string }

  test('what stands in the way is told in the words of ssh, and nothing is done to the machine', async () => {
    till = await machine('till-1')
    const free = till.address.replace(/\d+$/, last => String((Number(last) + 40) % 250 + 2))
    for (const [address, password, says] of [
      [till.address, 'sesame', /^The step login failed at \S+, .* after it had begun: root@\S+: Permission denied \(password\)$/m],
      [free, PASSWORD, /^The step login failed .*: (No route to host|Connection timed out)/m],
      ['127.0.0.1', PASSWORD, /^The step login failed .*: ssh: connect to host 127\.0\.0\.1 port 22: Connection refused$/m],
      ['till-9.invalid', PASSWORD, /^The step login failed .*: ssh: Could not resolve hostname till-9\.invalid/m],
    ] as const) {
      const id = await create('till-1', address, password)
      await place.reaches(`the node at ${address}`, () => pairOf(id), 'Failed/InitializeFailed', MINUTE, id)
      assert.match(await place.because(id), says)
      await removed(id)
    }
    assert.equal(await on(till.id, LEFT), '')
  })

  test('what the machine lacks is told by its script; mended, it becomes a Ready node by the same call', async () => {
    await on(till.id, 'mv /usr/sbin/nft /usr/sbin/nft-away')
    const first = await create('till-1', till.address)
    await place.reaches('the node', () => pairOf(first), 'Failed/InitializeFailed', MINUTE, first)
    assert.match(await place.because(first), /^The step preflight failed .*The program nft is missing; install the package nftables/m)
    await removed(first)
    await on(till.id, 'mv /usr/sbin/nft-away /usr/sbin/nft')
    const id = await create('till-1', till.address)
    await place.reaches('the node', () => pairOf(id), 'Running/Ok', 2 * MINUTE, id)
    assert.match(await place.kubectl('shop', 'get', 'nodes', '-o', 'wide'), new RegExp(`^till-1\\S* +Ready .*${till.address.replaceAll('.', '\\.')}`, 'm'))
    assert.match(log(), /"user":"root","hostKey":"SHA256:[A-Za-z0-9+/]{43}","msg":"Logged in to a machine"/)
    await place.assertNeverFailed(id)
    // Whether it is on is seen, since it is the region's own machine.
    await place.call('SetMachine', { Id: till.id, Power: 'crash' })
    await place.reaches('the node', () => pairOf(id), 'Failed/NotReady', 30 * SECOND, id)
    await place.call('SetMachine', { Id: till.id, Power: 'on' })
    await place.reaches('the node', () => pairOf(id), 'Running/Ok', 2 * MINUTE, id)
    await removed(id)
    await until('the machine to have cleaned itself up', async () => await on(till.id, LEFT) === '', MINUTE)
  })

  test('a server that is killed while it logs in says so when it is back; killed later, it has a Ready node', async () => {
    const silent = await place.addMachine('silent')
    const { Address: address = '' } = (await place.call('ListMachines', { Filter: { Ids: [silent] } })).Items[0] ?? {}
    await on(silent, `setsid ${folder}/node -e "require('net').createServer(() => {}).listen(22, '${address}', () => require('fs').writeFileSync('/root/listens', ''))" > /dev/null 2>&1 & until [ -e /root/listens ]; do sleep 0.1; done`)
    const lost = await create('silent', address)
    assert.equal(await pairOf(lost), 'Creating/Progressing')
    await place.killServer()
    await place.up()
    await place.reaches('the node', () => pairOf(lost), 'Failed/InitializeFailed', 20 * SECOND, lost)
    assert.match(await place.because(lost), /: the server ended before it had logged in; the password is not kept: delete the node and send CreateEdgeNode again$/m)
    await removed(lost)

    const other = await machine('till-2'), id = await create('till-2', other.address)
    await until('the script to run', async () => /runs the onboarding script|was admitted/.test(await place.because(id)), 30 * SECOND, 20)
    await place.killServer()
    await place.up()
    await place.reaches('the node', () => pairOf(id), 'Running/Ok', 3 * MINUTE, id)
  })

  test('a node that is deleted while its machine gives no answer is gone at once', async () => {
    const [silent] = (await place.call('ListMachines', { Filter: { Names: ['silent'] } })).Items
    const isConnected = (): boolean => execFileSync('ss', ['-Htnp', 'dst', silent?.Address ?? ''], { encoding: 'utf8' }).includes(`pid=${place.serverPid()},`)
    const id = await create('silent', silent?.Address ?? '')
    await until('the connection', async () => isConnected(), 10 * SECOND, 20)
    await removed(id)
    await until('the connection to be ended', async () => !isConnected(), 10 * SECOND)
  })

  test('the password is nowhere', async () => {
    const text = await written()
    assert.ok(text.includes('The step login failed') && text.includes('Logged in to a machine'))
    for (const form of [PASSWORD, Buffer.from(PASSWORD).toString('base64'), Buffer.from(PASSWORD).toString('hex')]) assert.ok(!text.includes(form))
  })
})
