import { refuse, refuseBody, refuseParameter } from './errors/catalogue.ts'

/**
 * A JSON object of a request, read member by member. Members that nobody asks for are ignored; null counts as absent; a member of the wrong type is refused
 * as `InvalidParameter.<Member>`, a missing one as `MissingParameter.<Member>`, where <Member> is the dotted path from the body's root.
 */
export interface Members {
  readonly action: string
  /** '' at the root, else e.g. `PodsConfig.`. */
  readonly path: string
  readonly values: Readonly<Record<string, unknown>>
}

/** The body as members; undefined (no body) counts as `{}`. */
export function membersOf(action: string, body: unknown): Members {
  if (body === undefined) return { action, path: '', values: {} }
  if (!isObject(body)) refuseBody(action, `it is ${typeText(body)}`)
  return { action, path: '', values: body }
}

export function refuseMember(from: Members, name: string, why: string): never {
  return refuseParameter(from.action, from.path + name, why)
}

export function missing(from: Members, name: string): never {
  return refuse('MissingParameter.{Parameter}', { Parameter: from.path + name })
}

export function optionalText(from: Members, name: string, limit = 4096): string | undefined {
  const value = member(from, name)
  if (value === undefined) return undefined
  if (typeof value !== 'string') refuseMember(from, name, `it must be a string, and is ${typeText(value)}`)
  if (value.length > limit) refuseMember(from, name, `it may have at most ${limit} characters, and has ${value.length}`)
  // PostgreSQL keeps no NUL, and half a surrogate pair is no UTF-8.
  if (value.includes('\0') || !value.isWellFormed()) refuseMember(from, name, 'it holds a character that is no text')
  return value
}

/** An empty string counts as missing. */
export function requiredText(from: Members, name: string, limit?: number): string {
  return optionalText(from, name, limit) || missing(from, name)
}

export function optionalFlag(from: Members, name: string): boolean | undefined {
  const value = member(from, name)
  if (value === undefined || typeof value === 'boolean') return value
  return refuseMember(from, name, `it must be true or false, and is ${typeText(value)}`)
}

/** A flag that some clients send as text (`NeedBootstrapScript`). */
export function optionalFlagOrText(from: Members, name: string): boolean | undefined {
  const value = member(from, name)
  if (value === 'true' || value === 'True') return true
  if (value === 'false' || value === 'False' || value === '') return false
  return optionalFlag(from, name)
}

export function optionalWhole(from: Members, name: string, range: { readonly min: number; readonly max: number }): number | undefined {
  const value = member(from, name)
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) refuseMember(from, name, `it must be a whole number, and is ${typeof value === 'number' ? 'another number' : typeText(value)}`)
  if (value < range.min || value > range.max) refuseMember(from, name, `it must lie between ${range.min} and ${range.max}`)
  return value
}

/** A list of strings; `atMost` elements, none empty. */
export function optionalTexts(from: Members, name: string, atMost = 100): readonly string[] | undefined {
  return optionalList(from, name, atMost)?.map((value, index) => {
    if (typeof value !== 'string') refuseMember(from, name, `element ${index + 1} must be a string, and is ${typeText(value)}`)
    if (value === '' || value.length > 4096 || value.includes('\0') || !value.isWellFormed()) refuseMember(from, name, `element ${index + 1} must be a text of 1 to 4096 characters`)
    return value
  })
}

export function optionalWholes(from: Members, name: string, atMost = 100): readonly number[] | undefined {
  return optionalList(from, name, atMost)?.map((value, index) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) refuseMember(from, name, `element ${index + 1} must be a whole number, and is ${typeText(value)}`)
    return value
  })
}

export function optionalObject(from: Members, name: string): Members | undefined {
  const value = member(from, name)
  if (value === undefined) return undefined
  if (!isObject(value)) refuseMember(from, name, `it must be an object, and is ${typeText(value)}`)
  return { action: from.action, path: `${from.path}${name}.`, values: value }
}

export function requiredObject(from: Members, name: string): Members {
  return optionalObject(from, name) ?? missing(from, name)
}

export function optionalObjects(from: Members, name: string, atMost = 100): readonly Members[] | undefined {
  return optionalList(from, name, atMost)?.map((value, index) => {
    if (!isObject(value)) refuseMember(from, name, `element ${index + 1} must be an object, and is ${typeText(value)}`)
    return { action: from.action, path: `${from.path}${name}.`, values: value }
  })
}

/** One of the words, as spelled; undefined if absent. */
export function optionalWord<const Word extends string>(from: Members, name: string, words: readonly Word[]): Word | undefined {
  const value = optionalText(from, name)
  if (value === undefined) return undefined
  return words.find(word => word === value) ?? refuseMember(from, name, `it must be one of ${words.join(', ')}`)
}

/** A member's name that holds dots is a literal name on this wire (`"Conditions.Type"`). */
export function member(from: Members, name: string): unknown {
  return Object.hasOwn(from.values, name) ? (from.values[name] ?? undefined) : undefined
}

function optionalList(from: Members, name: string, atMost: number): readonly unknown[] | undefined {
  const value = member(from, name)
  if (value === undefined) return undefined
  if (!Array.isArray(value)) refuseMember(from, name, `it must be a list, and is ${typeText(value)}`)
  if (value.length > atMost) refuseMember(from, name, `it may have at most ${atMost} elements, and has ${value.length}`)
  return value as readonly unknown[]
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function typeText(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return { string: 'a string', number: 'a number', boolean: 'true or false', object: 'an object' }[typeof value as string] ?? 'something else'
}
