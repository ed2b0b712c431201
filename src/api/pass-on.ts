import { request as send, type IncomingHttpHeaders } from 'node:http'
import { ConnectionCut } from './answer-faults.ts'

/** Another server runs the region and has to answer the call. */
export class ServedElsewhere extends Error {
  readonly kind = 'ServedElsewhere'
  readonly endpoint: string
  constructor(endpoint: string) {
    super(`The region is run by the server at ${endpoint}`)
    this.endpoint = endpoint
  }
}

/** A call that was passed on once is not passed on again. */
const PASSED_ON = 'x-edgehold-passed-on'
/** A fault of our own answers holds a call for two minutes at most, a step of a clock answers after twenty seconds, and a paused region settles first. */
const PATIENCE_MS = 150_000

export interface PassedAnswer { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }

export function wasPassedOn(headers: IncomingHttpHeaders): boolean {
  return headers[PASSED_ON] !== undefined
}

/** Sends a call as it came, signature and all, to the server that runs its region; undefined where that cannot be reached, so that nothing was done. An answer that is cut off there is cut off here, too: nobody knows what was done. */
export function passOn(endpoint: string, call: { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer }): Promise<PassedAnswer | undefined> {
  const { hostname, port } = new URL(endpoint)
  const { connection: _connection, 'transfer-encoding': _encoding, ...headers } = call.headers
  return new Promise((resolve, reject) => {
    let connected = false
    const request = send({ host: hostname, port, method: call.method, path: call.url, headers: { ...headers, 'content-length': call.body.length, [PASSED_ON]: '1' }, timeout: PATIENCE_MS, agent: false }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 502, headers: response.headers, body: Buffer.concat(chunks) }))
      response.on('error', (error: NodeJS.ErrnoException) => reject(asCut(error)))
    })
    request.on('socket', socket => socket.once('connect', () => { connected = true }))
    request.on('timeout', () => request.destroy(new Error('it gave no answer')))
    request.on('error', (error: NodeJS.ErrnoException) => (connected ? reject(asCut(error)) : resolve(undefined)))
    request.end(call.body)
  })
}

function asCut(error: NodeJS.ErrnoException): Error {
  return error.code === 'ECONNRESET' ? new ConnectionCut('The server that runs the region cut the connection', { cause: error }) : error
}
