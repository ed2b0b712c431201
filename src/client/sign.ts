import { createHmac, hash } from 'node:crypto'

export interface Credentials { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
export interface Signing { readonly region: string; readonly service: string }

/** A key is the same for a day, and made by four digests. */
const lastKeys = new WeakMap<Credentials, { readonly scope: string; readonly key: string | Buffer }>()

/** The headers of a signed `POST /?Action=…&Version=…` (or another method), as the official SDKs sign: HMAC-SHA256 over method, query, headers and body hash. `at`: epoch ms. */
export function signedHeaders(host: string, query: Readonly<Record<string, string>>, body: string, credentials: Credentials, signing: Signing, at: number, method = 'POST'): Record<string, string> {
  const xDate = new Date(at).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const date = xDate.slice(0, 8)
  const bodyHash = sha256(body)
  const headers: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    host,
    'x-content-sha256': bodyHash,
    'x-date': xDate,
    ...credentials.sessionToken !== undefined && { 'x-security-token': credentials.sessionToken },
  }
  const names = Object.keys(headers).toSorted()
  // A signer leaves out the ports that the scheme implies.
  const signed = (name: string) => name === 'host' ? host.replace(/:(80|443)$/, '') : headers[name] ?? ''
  const canonical = [method, '/', canonicalQuery(query), names.map(name => `${name}:${signed(name)}\n`).join(''), names.join(';'), bodyHash].join('\n')
  const steps = [date, signing.region, signing.service, 'request'], scope = steps.join('/')
  const signature = hmac(keyOf(credentials, scope, steps), ['HMAC-SHA256', xDate, scope, sha256(canonical)].join('\n')).toString('hex')
  return { ...headers, authorization: `HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}` }
}

export function canonicalQuery(query: Readonly<Record<string, string>>): string {
  return Object.keys(query).toSorted().map(name => `${encode(name)}=${encode(query[name] ?? '')}`).join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, mark => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
}

function keyOf(credentials: Credentials, scope: string, steps: readonly string[]): string | Buffer {
  const last = lastKeys.get(credentials)
  if (last?.scope === scope) return last.key
  const key = steps.reduce<string | Buffer>((step, text) => hmac(step, text), credentials.secretAccessKey)
  lastKeys.set(credentials, { scope, key })
  return key
}

function sha256(text: string): string {
  return hash('sha256', text)
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
