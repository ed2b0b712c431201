import { hash } from 'node:crypto'
import { ALGORITHM, single, type Authorization, type HttpHeaders, type Query } from './authorization.ts'

/** Decodes a query as signers do: `+` is a blank, a name without `=` has an empty value. `undefined` if an escape is broken. */
export function parseQuery(text: string): Query | undefined {
  if (text === '') return []
  try {
    return text.split('&').filter(part => part !== '').map(part => {
      const equals = part.indexOf('=')
      return equals < 0 ? [decode(part), ''] : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))]
    })
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

/** Sorted by name, then by value, percent-encoded by RFC 3986; empty values keep their `=`. */
export function canonicalQuery(query: Query): string {
  return query
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .toSorted(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** `query`: as `canonicalQuery` makes it. */
export function canonicalRequest(method: string, path: string, query: string, headers: HttpHeaders, signedHeaders: readonly string[], bodyHash: string): string {
  const lines = signedHeaders.length === 0 ? '\n' : signedHeaders.map(name => `${name}:${headerValue(headers, name)}\n`).join('')
  return `${method}\n${path === '' ? '/' : path}\n${query}\n${lines}\n${signedHeaders.join(';')}\n${bodyHash}`
}

export function stringToSign(authorization: Authorization, request: string): string {
  const { date, region, service } = authorization
  return `${ALGORITHM}\n${authorization.xDate}\n${date}/${region}/${service}/request\n${sha256(request)}`
}

export function sha256(content: string | Buffer): string {
  return hash('sha256', content, 'hex')
}

/** Trimmed only, inner blanks kept, as the Go signer does; `host` loses the ports that HTTP implies. */
function headerValue(headers: HttpHeaders, name: string): string {
  const value = (single(headers, name) ?? '').trim()
  return name === 'host' ? value.replace(/:(80|443)$/, '') : value
}

function decode(text: string): string {
  return decodeURIComponent(text.includes('+') ? text.replaceAll('+', ' ') : text)
}

function encode(text: string): string {
  return /^[\w.~-]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, mark => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
