import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server, type ServerResponse } from 'node:http'
import { createServer, type AddressInfo, type Server as NetServer } from 'node:net'
import { describe, test } from 'node:test'
import { freePort } from '#test/harness/command.ts'
import { passOn } from './pass-on.ts'

const CALL = { method: 'POST', url: '/?Action=RunScenario', headers: { host: '127.0.0.1', authorization: 'signed' }, body: Buffer.from('{}') }

async function passedTo(port: number, isStill: boolean) {
  return passOn({ endpoint: `http://127.0.0.1:${port}`, judgesReads: false, isStill: () => isStill, lookAgain: async () => {} }, CALL)
}

async function listening(server: Server | NetServer): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe('a call that is passed on', { concurrency: true }, () => {
  test('is waited for while the server that has it lives, whoever runs the region by then', async () => {
    let call: ServerResponse | undefined, asked = 0
    const server = createHttpServer((request, response) => {
      if (request.url !== '/healthz') {
        call = response
        return
      }
      response.end('ok')
      if (++asked === 2) call?.end('{"done":true}')
    })
    const passed = await passedTo(await listening(server), false)
    server.close()
    assert.ok(typeof passed === 'object' && passed.status === 200 && passed.body.toString() === '{"done":true}', JSON.stringify(passed))
  })

  test('is given up where that server is silent and another one took its region', async () => {
    const server = createServer(socket => { socket.on('error', () => {}).resume() })
    const passed = await passedTo(await listening(server), false)
    server.close()
    assert.equal(passed, 'lost')
  })

  test('is given up where that server is silent for long, though nobody is known to have taken its region', async () => {
    const server = createServer(socket => { socket.on('error', () => {}).resume() })
    const begun = performance.now(), passed = await passedTo(await listening(server), true)
    server.close()
    assert.equal(passed, 'lost')
    assert.ok(performance.now() - begun < 20_000, 'clients wait longer')
  })

  test('was not done where nobody takes the connection', async () => {
    assert.equal(await passedTo(await freePort(), true), 'unreached')
  })
})
