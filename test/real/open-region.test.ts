import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { chooseHostNetwork } from '#providers/local/host-network/choose.ts'
import { ensureHostNetwork, removeHostNetwork } from '#providers/local/host-network/host-network.ts'
import { addressPool } from '#providers/local/host-network/settings.ts'
import { OutsideNetwork } from './outside-harness.ts'

const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

test('a machine of the region reaches the world outside only where that was opened, and by the host’s address', { skip: process.getuid?.() !== 0 && 'needs root for namespaces' }, async () => {
  const settings = await chooseHostNetwork(randomBytes(4).toString('hex'))
  const { gateway, first, prefix } = addressPool(settings)
  const inside = `eo-inside-${process.pid}`
  const link = `eoi${process.pid}`
  await using outside = await OutsideNetwork.make()
  const world = outside.beyond
  // The other side of the router is the world; what listens there tells from whom a call comes.
  const server = execFile('ip', ['netns', 'exec', outside.router, process.execPath, '-e', `require('net').createServer(socket => socket.end(socket.remoteAddress)).listen(7000, '${world}', () => console.log('listens'))`])
  try {
    assert.ok(server.stdout)
    await once(server.stdout, 'data')
    ip('netns', 'add', inside)
    await ensureHostNetwork({ ...settings, open: true })
    ip('link', 'add', 'name', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', inside)
    ip('link', 'set', 'dev', link, 'master', settings.bridge, 'up')
    ip('-n', inside, 'address', 'add', `${first}/${prefix}`, 'dev', 'eth0')
    ip('-n', inside, 'link', 'set', 'dev', 'eth0', 'up')
    ip('-n', inside, 'route', 'add', 'default', 'via', gateway)
    const ask = (): string => execFileSync('ip', ['netns', 'exec', inside, process.execPath, '-e', `require('net').connect({ host: '${world}', port: 7000, timeout: 1500 }).on('timeout', () => { console.log('no answer'); process.exit() }).on('error', error => console.log(error.code)).pipe(process.stdout)`], { encoding: 'utf8' }).trim()
    assert.equal(ask(), outside.host)
    await ensureHostNetwork(settings)
    assert.equal(ask(), 'no answer')
    await ensureHostNetwork({ ...settings, open: true }, [], [])
    assert.equal(ask(), outside.host, 'also beside what leads in')
  } finally {
    server.kill('SIGKILL')
    await removeHostNetwork(settings)
    ip('netns', 'delete', inside)
  }
})
