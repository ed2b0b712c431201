import { missing, optionalText, refuseMember, type Members } from './request.ts'

/** The pool that CreateDefaultNodePool makes; nobody else may be called so. */
export const DEFAULT_NODE_POOL_NAME = 'vke-default-nodepool'

/** A cluster's or pool's name: 2 to 64 letters, Chinese characters, digits and hyphens, no digit first, no hyphen first or last (api.md 1.4). */
export function optionalName(from: Members, name = 'Name'): string | undefined {
  const value = optionalText(from, name)
  if (value === undefined) return undefined
  const why = nameFault(value)
  if (why !== undefined) refuseMember(from, name, why)
  return value
}

export function requiredName(from: Members, name = 'Name'): string {
  return optionalName(from, name) ?? missing(from, name)
}

/** What is wrong with a name, as a clause; undefined if nothing is. */
export function nameFault(value: string): string | undefined {
  const length = characters(value)
  if (length < 2 || length > 64) return `it must have 2 to 64 characters, and has ${length}`
  if (!/^[A-Za-z\p{Script=Han}\d-]+$/u.test(value)) return 'it may hold letters, Chinese characters, digits and hyphens only'
  if (/^\d/.test(value)) return 'it may not begin with a digit'
  if (/^-|-$/.test(value)) return 'it may not begin or end with a hyphen'
  return value === DEFAULT_NODE_POOL_NAME ? `${DEFAULT_NODE_POOL_NAME} is reserved` : undefined
}

/** At most 300 characters. */
export function optionalDescription(from: Members): string | undefined {
  const value = optionalText(from, 'Description')
  if (value !== undefined && characters(value) > 300) refuseMember(from, 'Description', `it may have at most 300 characters, and has ${characters(value)}`)
  return value
}

/** `ClientToken`, or `CreateClientToken` as the edge calls document it: 1 to 64 ASCII characters; an empty one counts as none. */
export function optionalClientToken(from: Members): string | undefined {
  for (const name of ['ClientToken', 'CreateClientToken']) {
    const value = optionalText(from, name)
    if (!value) continue
    if (!/^[\x20-\x7e]{1,64}$/.test(value)) refuseMember(from, name, 'it must have at most 64 ASCII characters')
    return value
  }
  return undefined
}

/** A Chinese character outside the basic plane is one character, not two code units. */
function characters(text: string): number {
  return Array.from(text).length
}
