import type { IncomingMessage } from 'node:http'
import { JoinRefused } from './refused.ts'

const MOST_BYTES = 16 * 1024

/** The fields of a posted form (as curl sends it), or of a flat JSON object; of a field sent twice the first counts. */
export async function readForm(request: IncomingMessage): Promise<ReadonlyMap<string, string>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw new JoinRefused(413, `The request is larger than ${MOST_BYTES} bytes.`)
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString()
  const fields = new Map<string, string>()
  for (const [name, value] of request.headers['content-type']?.startsWith('application/json') ? jsonFields(text) : new URLSearchParams(text)) if (!fields.has(name)) fields.set(name, value)
  return fields
}

function jsonFields(text: string): [string, string][] {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    throw new JoinRefused(400, 'The request is not JSON.', { cause: error })
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new JoinRefused(400, 'The request is not a JSON object.')
  return Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
}
