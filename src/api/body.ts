import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import { Refusal, refuseBody, refuseParameter } from '#model/errors/catalogue.ts'

/** A sender of a body that is too large gets its answer after the body was read and thrown away, up to this size: a reset would hide the answer. */
const READ_AWAY_AT_MOST = 64 * 1024 * 1024
const DEEPEST = 64

/** The bytes of a body. Throws the catalogue's refusal for a body larger than `most`, but only after its end. */
export function readBody(payload: Readable, most: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let ended = false
    const end = () => {
      ended = true
      if (size > most) reject(new Refusal('RequestTooLarge', { limit: most }))
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))
    }
    payload.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= most) chunks.push(chunk)
      else if (size > READ_AWAY_AT_MOST) end()
    })
    payload.once('end', end)
    // The caller went away: nobody reads this answer, and it is no fault of ours to be logged.
    const cutOff = () => { if (!ended) reject(new Refusal('InvalidParameter.BodyFormat', { why: 'it ended before its length' })) }
    payload.once('error', cutOff)
    payload.once('close', cutOff)
  })
}

/** The JSON object of a body; an empty body is `{}` (clients do send it). Members that are null count as not sent. Throws the refusal of a body that fits the action. */
export function parseBody(action: string, body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {}
  if (!isUtf8(body)) refuseBody(action, 'it is not UTF-8')
  const value = parseJson(action, body.toString())
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuseBody(action, `it is ${kindOf(value)}`)
  return isSettled(value, 0) ? value as Record<string, unknown> : settleObject({ action, path: '', depth: 0 }, value)
}

/** True where settling would change and refuse nothing, as with nearly every body. */
function isSettled(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed()
  if (typeof value !== 'object') return true
  if (value === null || depth > DEEPEST) return false
  if (Array.isArray(value)) return value.every(item => item === null || isSettled(item, depth + 1))
  for (const name of Object.keys(value)) if (name === '__proto__' || !isSettled((value as Record<string, unknown>)[name], depth + 1)) return false
  return true
}

/**
 * The body of a call that sends its parameters in the query: `Filter.Ids.1=c1` stands for `{"Filter":{"Ids":["c1"]}}`. All values are texts; the
 * schema turns them into what it wants.
 */
export function bodyFromQuery(action: string, query: readonly (readonly [string, string])[]): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const [name, value] of query) {
    if (name === 'Action' || name === 'Version' || name.startsWith('X-')) continue
    put(body, name.split('.').slice(0, DEEPEST), value)
  }
  return settleObject({ action, path: '', depth: 0 }, arraysFromNumbers(body) as object)
}

function put(target: Record<string, unknown>, [first = '', ...rest]: readonly string[], value: string): void {
  if (first === '__proto__') return
  if (rest.length === 0) {
    define(target, first, value)
    return
  }
  const there = Object.hasOwn(target, first) ? target[first] : undefined
  const next = typeof there === 'object' && there !== null ? there : {}
  define(target, first, next)
  put(next as Record<string, unknown>, rest, value)
}

function arraysFromNumbers(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  if (entries.length > 0 && entries.every(([name]) => /^[1-9]\d{0,3}$/.test(name))) {
    return entries.toSorted(([a], [b]) => Number(a) - Number(b)).map(([, item]) => arraysFromNumbers(item))
  }
  return Object.fromEntries(entries.map(([name, item]) => [name, arraysFromNumbers(item)]))
}

function parseJson(action: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return refuseBody(action, 'it is not JSON')
    throw error
  }
}

interface Place { readonly action: string; readonly path: string; readonly depth: number }

function settleObject(place: Place, value: object): Record<string, unknown> {
  const settled: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value)) {
    if (item !== null && name !== '__proto__') define(settled, name, settle({ ...place, path: place.path === '' ? name : `${place.path}.${name}`, depth: place.depth + 1 }, item))
  }
  return settled
}

function settle(place: Place, value: unknown): unknown {
  if (place.depth > DEEPEST) refuseBody(place.action, `it is nested more than ${DEEPEST} deep`)
  // No database can hold these, and no name needs them.
  if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) refuseParameter(place.action, place.path, 'it contains a character that is not text')
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? value.map(item => settle({ ...place, depth: place.depth + 1 }, item)) : settleObject(place, value)
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true })
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
