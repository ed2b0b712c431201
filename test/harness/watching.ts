import { request as httpRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { Change } from '#client/calls.ts'
import type { EdgeholdClient, WatchRequest } from '#client/client.ts'
import { canonicalQuery, signedHeaders } from '#client/sign.ts'
import { until } from './waiting.ts'

/** Somebody who watches by the client, and keeps what it is given. */
export class Watcher {
  readonly changes: Change[] = []
  readonly #enough = new AbortController()
  readonly #ended: Promise<unknown>

  constructor(client: EdgeholdClient, request: WatchRequest = {}) {
    this.#ended = (async () => {
      for await (const change of client.watch(request, { signal: this.#enough.signal })) this.changes.push(change)
    })().catch((error: unknown) => error)
  }

  get positions(): readonly number[] {
    return this.changes.map(change => change.Position)
  }

  async has(holds: (changes: readonly Change[]) => boolean, withinMs?: number): Promise<void> {
    await until(() => holds(this.changes), withinMs)
  }

  /** What ended it, if that was not this. */
  async end(): Promise<unknown> {
    this.#enough.abort()
    const error = await this.#ended
    return error instanceof Error && error.name === 'AbortError' ? undefined : error
  }

  ended(): Promise<unknown> {
    return this.#ended
  }
}

export interface Key { readonly accessKeyId: string; readonly secretAccessKey: string }

/** The stream itself, as a stranger to our client reads it. */
export async function openStream(endpoint: string, key: Key, region: string, parameters: Readonly<Record<string, string>> = {}, more: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> {
  const query = { Action: 'WatchChanges', Version: '2026-12-01', ...parameters }, { host } = new URL(endpoint)
  const request = httpRequest(`${endpoint}/?${canonicalQuery(query)}`, { headers: { ...signedHeaders(host, query, '', key, { region, service: 'veecp_openapi' }, Date.now(), 'GET'), ...more }, agent: false }).end()
  request.on('error', () => {}) // a test cuts it
  const [response] = await once(request, 'response') as [IncomingMessage]
  return response
}

/** Reads on until the text holds that; answers all that was read. */
export async function readUntil(stream: IncomingMessage, pattern: RegExp): Promise<string> {
  let read = ''
  stream.setEncoding('utf8')
  await until(() => {
    read += stream.read() as string | null ?? ''
    return pattern.test(read)
  })
  return read
}
