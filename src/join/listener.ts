import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { StoreUnavailable } from '#ports/store.ts'
import { Connections } from './connections.ts'
import { readForm } from './form.ts'
import type { JoinOptions } from './join-options.ts'
import { type Form, joinMachine } from './join-machine.ts'
import { machineFile } from './machine-files.ts'
import { renewMachine, takeConfirmation, takeReport, tellMembership } from './machine-reports.ts'
import { findInvitation } from './onboarding-token.ts'
import { giveOverlayPapers } from './overlay-papers.ts'
import { AddressLimit } from './rate-limit.ts'
import { tellReach } from './reach.ts'
import { JoinRefused } from './refused.ts'
import { nodeProgram, onboardingScript, refusingScript } from './script-text.ts'

const POSTS: Readonly<Record<string, (options: JoinOptions, form: Form, address: string) => Promise<string>>> = {
  '/join/join': joinMachine,
  '/join/reach': tellReach,
  '/join/report': takeReport,
  '/join/membership': tellMembership,
  '/join/confirm': takeConfirmation,
  '/join/renew': renewMachine,
  '/join/overlay': giveOverlayPapers,
}

/** Milliseconds. Whoever connects and does not go on is cut off; Node looks for those that sent no whole head only now and then. */
const PATIENCE = { handshakeTimeout: 10_000, headersTimeout: 10_000, requestTimeout: 20_000, keepAliveTimeout: 15_000, connectionsCheckingInterval: 2_000 }

export interface JoinListener {
  /** Listens and answers the port; 0 takes a free one. */
  listen(host: string, port: number): Promise<number>
  /** Takes no more requests and ends when the running ones are answered, at the latest when the signal says so. */
  close(signal: AbortSignal): Promise<void>
}

/**
 * The listener that machines reach, and nothing else of ours: the onboarding script, the programs, joins, reports, membership. A refusal is a sentence
 * (or `{"error": …}` for who accepts JSON only), because it is printed by a shell.
 */
export function createJoinListener(options: JoinOptions): JoinListener {
  const limit = new AddressLimit()
  const server = createServer({ key: options.tls.key, cert: options.tls.certificate, ...PATIENCE, maxHeaderSize: 8192 }, (request, response) => {
    const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    serve(options, limit, request, response, address).catch((error: unknown) => { answerError(options, request, response, error) })
  })
  server.maxConnections = 1000
  const connections = new Connections()
  server.on('connection', (socket: Socket) => { connections.add(socket) })
  return {
    listen: (host, port) => new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        resolve((server.address() as AddressInfo).port)
      })
    }),
    close: (signal) => new Promise((resolve) => {
      const cut = (): void => { connections.cut() }
      if (signal.aborted) cut()
      else signal.addEventListener('abort', cut, { once: true })
      server.close(() => {
        signal.removeEventListener('abort', cut)
        resolve()
      })
      server.closeIdleConnections()
    }),
  }
}

async function serve(options: JoinOptions, limit: AddressLimit, request: IncomingMessage, response: ServerResponse, address: string): Promise<void> {
  if (!limit.allows(address, options.realNow())) throw new JoinRefused(429, 'Too many requests from this machine; try again in a few seconds.')
  const path = (request.url ?? '').split('?')[0] ?? ''
  const post = POSTS[path]
  if (request.method === 'POST' && post) return sendText(response, await post(options, await readForm(request), address))
  if (request.method !== 'GET') throw new JoinRefused(404, 'Nothing of that name is served here.')

  const [, join, what, ...rest] = path.split('/')
  if (join === 'join' && what === 'script' && rest.length === 1) return sendText(response, await scriptFor(options, rest[0] ?? ''))
  if (path === '/join/node-program') return sendText(response, await nodeProgram())
  if (join === 'join' && what === 'components' && rest.length === 3) {
    const file = await machineFile(options.components, rest[0] ?? '', rest[1] ?? '', rest[2] ?? '')
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.sizeBytes, 'x-sha256': file.sha256 })
    return await pipeline(createReadStream(file.path, { highWaterMark: 1 << 20 }), response)
  }
  throw new JoinRefused(404, 'Nothing of that name is served here.')
}

/** What stands behind the one line: the script, or one that says why not, since curl would keep an error's sentence to itself. */
async function scriptFor(options: JoinOptions, token: string): Promise<string> {
  try {
    const { kind, name } = await findInvitation(options.store, options.region, token, options.clock.now())
    options.log.debug({ by: kind, name }, 'Handing out onboarding script')
    return await onboardingScript({ url: options.url, ca: options.tls.ca, token })
  } catch (error) {
    if (error instanceof JoinRefused) return refusingScript(error.message)
    throw error
  }
}

function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
  response.end(text)
}

function answerError(options: JoinOptions, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // A machine that hung up, or that closed as soon as it had its last byte: what it makes of that, it knows by the checksum.
  if (isHungUp(error)) return void response.destroy()
  const refused = refusalOf(error)
  if (!refused) options.log.error({ path: (request.url ?? '').replace(/script\/.*/, 'script/…'), error: error instanceof Error ? error.stack : String(error) }, 'Serving a machine failed')
  if (response.headersSent) {
    response.destroy() // half a file
    return
  }
  const sentence = refused?.message ?? 'Something went wrong on the server; try again.'
  const json = request.headers.accept === 'application/json'
  response.writeHead(refused?.status ?? 500, { 'content-type': json ? 'application/json' : 'text/plain; charset=utf-8', connection: 'close', ...(refused?.status === 429 ? { 'retry-after': '5' } : {}) })
  response.end(json ? JSON.stringify({ error: sentence }) : sentence)
}

const isHungUp = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ECONNRESET' || error.code === 'EPIPE')

function refusalOf(error: unknown): JoinRefused | undefined {
  if (error instanceof JoinRefused) return error
  if (error instanceof StoreUnavailable) return new JoinRefused(503, 'The server cannot reach its database at the moment.', { cause: error })
  return undefined
}
