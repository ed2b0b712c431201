import { refuse } from '#model/errors/catalogue.ts'

export const ALGORITHM = 'HMAC-SHA256'

/** What a request says about who signed it and how; nothing of it is verified yet. */
export interface Authorization {
  readonly form: 'header' | 'query'
  readonly accessKeyId: string
  /** `YYYYMMDD` of the credential scope. */
  readonly date: string
  readonly region: string
  readonly service: string
  /** Lower-case header names in the order in which they were signed. */
  readonly signedHeaders: readonly string[]
  /** Lower-case hex as sent. */
  readonly signature: string
  /** `X-Date` as sent: `YYYYMMDD'T'HHMMSS'Z'`. */
  readonly xDate: string
  readonly expiresSeconds: number | undefined
}

export interface HttpHeaders { readonly [name: string]: string | readonly string[] | undefined }
export type Query = readonly (readonly [name: string, value: string])[]

/** Reads the Authorization header, or the `X-…` members of the query where there is none. Throws a Refusal that names what is missing (api.md 1.2, 1.3). */
export function readAuthorization(headers: HttpHeaders, query: Query): Authorization {
  const header = single(headers, 'authorization')
  if (header !== undefined) return fromHeader(header, headers)
  if (query.some(([name]) => name === 'X-Signature' || name === 'X-Credential' || name === 'X-Algorithm')) return fromQuery(query)
  return refuse('MissingAuthenticationToken', {})
}

/** The service for which a request says that it is signed, whether or not it is; `undefined` where it says none. */
export function serviceAskedFor(headers: HttpHeaders, query: Query): string | undefined {
  const credential = /Credential\s*=\s*([^,\s]+)/.exec(single(headers, 'authorization') ?? '')?.[1] ?? query.find(([name]) => name === 'X-Credential')?.[1]
  return /^(?:[^/]+\/){3}([\w-]{1,64})\/request$/.exec(credential ?? '')?.[1]
}

type Signer = Pick<Authorization, 'accessKeyId' | 'date' | 'region' | 'service' | 'signedHeaders'>

/** What stands before the signature, as it was read: a signer sends the same all day. */
const signers = new Map<string, Signer>()
const MOST_SIGNERS = 1_000
const LONGEST_SIGNER = 500
const SIGNATURE_DIGITS = 64

function fromHeader(header: string, headers: HttpHeaders): Authorization {
  const start = header.slice(0, -SIGNATURE_DIGITS)
  const known = signers.get(start)
  if (known) return withHeaders(known, header.slice(-SIGNATURE_DIGITS), headers)
  const { signer, signature } = readHeader(header)
  if (start.endsWith('Signature=') && start.length + signature.length === header.length && start.length <= LONGEST_SIGNER) {
    if (signers.size >= MOST_SIGNERS) signers.clear()
    signers.set(start, signer)
  }
  return withHeaders(signer, signature, headers)
}

function withHeaders(signer: Signer, signature: string, headers: HttpHeaders): Authorization {
  const { accessKeyId, date, region, service, signedHeaders } = signer
  return {
    form: 'header', accessKeyId, date, region, service, signedHeaders,
    signature: signature || refuse('MissingSignature', {}),
    xDate: single(headers, 'x-date') || refuse('MissingRequestInfo', { what: 'X-Date' }),
    // An unsigned X-Expires could be added by whoever replays the request.
    expiresSeconds: signedHeaders.includes('x-expires') ? readExpires(single(headers, 'x-expires')) : undefined,
  }
}

function readHeader(header: string): { readonly signer: Signer; readonly signature: string } {
  const blank = header.indexOf(' ')
  if (header.slice(0, blank) !== ALGORITHM) refuse('InvalidAuthorization', { why: `the algorithm has to be ${ALGORITHM}` })
  const parts = new Map<string, string>()
  for (const part of header.slice(blank + 1).split(',')) {
    const equals = part.indexOf('=')
    if (equals < 0) refuse('InvalidAuthorization', { why: 'its parts are Credential=…, SignedHeaders=…, Signature=…' })
    parts.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim())
  }
  const credential = parts.get('Credential')
  if (credential === undefined || credential === '') refuse('MissingRequestInfo', { what: 'Credential' })
  // Not `host`: the official signer for Node leaves it out.
  const signedHeaders = readSignedHeaders(parts.get('SignedHeaders'), ['x-date'])
  return { signer: { ...readCredential(credential), signedHeaders }, signature: parts.get('Signature') ?? '' }
}

function fromQuery(query: Query): Authorization {
  const named = new Map(query)
  if ((named.get('X-Algorithm') ?? ALGORITHM) !== ALGORITHM) refuse('InvalidAuthorization', { why: `X-Algorithm has to be ${ALGORITHM}` })
  const signedHeaders = named.get('X-SignedHeaders')
  return {
    form: 'query',
    ...readCredential(named.get('X-Credential') || refuse('MissingRequestInfo', { what: 'X-Credential' })),
    // The older Go signer signs no header at all in this form.
    signedHeaders: signedHeaders ? readSignedHeaders(signedHeaders, []) : [],
    signature: named.get('X-Signature') || refuse('MissingSignature', {}),
    xDate: named.get('X-Date') || refuse('MissingRequestInfo', { what: 'X-Date' }),
    expiresSeconds: readExpires(named.get('X-Expires')),
  }
}

function readCredential(text: string): Pick<Authorization, 'accessKeyId' | 'date' | 'region' | 'service'> {
  const [accessKeyId, date, region, service, last, ...more] = text.split('/').map(part => part.trim())
  if (last !== 'request' || more.length > 0 || !accessKeyId || !date || !region || !service) {
    return refuse('InvalidCredential', { why: 'it reads {AccessKeyId}/{YYYYMMDD}/{Region}/{Service}/request' })
  }
  return { accessKeyId, date, region, service }
}

function readSignedHeaders(text: string | undefined, required: readonly string[]): readonly string[] {
  const names = (text ?? '').split(';').map(name => name.trim().toLowerCase()).filter(name => name !== '')
  const missing = required.filter(name => !names.includes(name))
  if (missing.length > 0) refuse('InvalidAuthorization', { why: `SignedHeaders has to name ${missing.join(' and ')}` })
  return names
}

function readExpires(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^\d{1,7}$/.test(text)) refuse('InvalidAuthorization', { why: 'X-Expires is a number of seconds' })
  return Number(text)
}

/** A header's one value; several of a name are joined as HTTP joins them. */
export function single(headers: HttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' || value === undefined ? value : value.join(',')
}
