import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { after, suite, test } from 'node:test'
import { remoteShellContract } from '#ports/remote-shell.contract.ts'
import { RemoteShellFailed } from '#ports/remote-shell.ts'
import { SshServer } from '#test/harness/ssh-server.ts'
import { until } from '#test/harness/waiting.ts'
import { SshShell } from './ssh-shell.ts'

const PASSWORD = "it's $ecret \"indeed\""
const patience = () => AbortSignal.timeout(10_000)
const at = (port: number, password = PASSWORD) => ({ address: '127.0.0.1', port, user: 'root', password })

/** A program that listens and is no SSH server. */
async function listener(onConnection: (socket: Socket) => void): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}) // the other end went
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => { server.close(); for (const socket of sockets) socket.destroy() } }
}

remoteShellContract('SSH', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-ssh-')), file = join(folder, 'begun')
  const server = await SshServer.listen({ password: PASSWORD }), closing = await listener(socket => socket.destroy()), gone = await listener(() => {})
  gone.close()
  return {
    shell: new SshShell(), machine: at(server.port), line: `echo "it's begun" >> ${file}`,
    bad: { at: at(server.port), line: 'echo "no \'nft\' here" >&2; exit 1', says: /^no 'nft' here$/ },
    others: [
      ['Denied', at(server.port, 'sesame')], ['Denied', at(server.port, '')], ['Refused', at(gone.port)], ['Closed', at(closing.port)], ['NameUnknown', { ...at(server.port), address: 'till-1.invalid' }],
    ],
    begun: async () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(line => line === "it's begun").length : 0),
    close: () => {
      server.close()
      closing.close()
      rmSync(folder, { recursive: true })
    },
  }
})

suite('logging in by SSH', () => {
  const closes: (() => void)[] = []
  after(() => { for (const close of closes) close() })
  const serve = async (options: Omit<Parameters<typeof SshServer.listen>[0], 'password'> = {}) => {
    const server = await SshServer.listen({ password: PASSWORD, ...options })
    closes.push(() => server.close())
    return server
  }

  test('a wrong password is shown once, whichever way the machine asks for it', async () => {
    for (const way of ['password', 'keyboard-interactive'] as const) {
      const server = await serve({ way })
      await assert.rejects(new SshShell().logIn(at(server.port, 'sesame'), patience()), (error: RemoteShellFailed) => error.as === 'Denied' && error.message === 'root@127.0.0.1: Permission denied (password)')
      assert.deepEqual(server.passwords, ['sesame'])
      const session = await new SshShell().logIn(at(server.port), patience())
      session.close()
      assert.deepEqual(server.passwords, ['sesame', PASSWORD])
    }
  })

  test('a machine that takes no command for its user says so', async () => {
    const server = await serve({ takes: 'nothing' })
    const session = await new SshShell().logIn(at(server.port), patience())
    await assert.rejects(session.start('true', patience()), (error: RemoteShellFailed) => error.as === 'NoShell')
  })

  test('one that accepts connections and says nothing is given up when the caller does, and what is no SSH server at once', async () => {
    const silent = await listener(() => {}), web = await listener(socket => { socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') })
    closes.push(silent.close, web.close)
    const before = performance.now()
    await assert.rejects(new SshShell().logIn(at(silent.port), AbortSignal.timeout(200)), { name: 'TimeoutError' })
    await assert.rejects(new SshShell().logIn(at(web.port), patience()), (error: RemoteShellFailed) => error.as === 'Closed')
    assert.ok(performance.now() - before < 5_000)
  })

  test('the line goes on when the connection is gone, and leaves nothing of ours behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgehold-ssh-'))
    closes.push(() => rmSync(folder, { recursive: true }))
    const server = await serve(), go = join(folder, 'go'), done = join(folder, 'done')
    const session = await new SshShell().logIn(at(server.port), patience())
    const { ended } = await session.start(`export TMPDIR=${folder}; until [ -e ${go} ]; do sleep 0.05; done; echo heard by nobody; echo done > ${done}`, patience())
    session.close()
    assert.equal(await ended, undefined)
    assert.ok(!existsSync(done))
    await new SshShell().logIn(at(server.port), patience()).then(async other => {
      await (await other.start(`touch ${go}`, patience())).ended
      other.close()
    })
    await until(() => existsSync(done))
  })
})
