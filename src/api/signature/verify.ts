import { createHmac, timingSafeEqual } from 'node:crypto'
import { refuse } from '#model/errors/catalogue.ts'
import type { AccessKey } from '#ports/store.ts'
import { readAuthorization, single, type Authorization, type HttpHeaders, type Query } from './authorization.ts'
import { canonicalQuery, canonicalRequest, sha256, stringToSign } from './canonical.ts'
import type { DayKeys } from './day-keys.ts'

export interface SignedRequest {
  readonly method: string
  readonly path: string
  readonly query: Query
  /** Of `query`, where it is known already. */
  readonly canonicalQuery?: string | undefined
  readonly headers: HttpHeaders
  /** The bytes as they came, before any parsing. */
  readonly body: Buffer
}

export interface Caller {
  readonly accountId: string
  readonly accessKeyId: string
  /** It is signed with the administrator's key. */
  readonly isAdministrator?: true
  /** The region as it was signed; answers echo it. */
  readonly region: string
  readonly service: string
}

export interface Verifier {
  findAccessKey(accessKeyId: string): Promise<AccessKey | undefined>
  readonly dayKeys: DayKeys
  /** Real time, epoch ms: a region's clock may stand still, a signature's window does not. */
  realNow(): number
}

/** Seconds for which a signature holds when the request names none; dates from the future are held to the same window. */
const WINDOW_SECONDS = 900
const LONGEST_WINDOW_SECONDS = 7 * 24 * 3600

/** Verifies a request's signature over its raw bytes by api.md 1.2, header and query form. Throws a Refusal; never says more than which step failed. */
export async function verifySignature(request: SignedRequest, verifier: Verifier): Promise<Caller> {
  const authorization = readAuthorization(request.headers, request.query)
  checkDate(authorization, verifier.realNow())
  const key = await verifier.findAccessKey(authorization.accessKeyId)
  if (!key) return refuse('InvalidAccessKey', { accessKeyId: authorization.accessKeyId })
  const bodyHash = checkBody(authorization, request)

  const { region, service } = authorization
  const dayKey = verifier.dayKeys.find(key.secret, authorization.date, region, service)
  const matches = signedQueries(authorization, request).some(query => {
    const text = canonicalRequest(request.method, request.path, query, request.headers, authorization.signedHeaders, bodyHash)
    return isSame(createHmac('sha256', dayKey).update(stringToSign(authorization, text)).digest('hex'), authorization.signature)
  })
  if (!matches) refuse('SignatureDoesNotMatch', { why: 'check the secret, and that the request was not changed on its way' })
  return { accountId: key.accountId, accessKeyId: authorization.accessKeyId, region, service, ...key.administrator && { isAdministrator: true } }
}

function checkDate(authorization: Authorization, now: number): void {
  const { xDate, date, expiresSeconds } = authorization
  const at = instantOf(xDate)
  if (!xDate.startsWith(date)) refuse('InvalidCredential', { why: 'its date is not the one of X-Date' })
  const windowMs = Math.min(expiresSeconds ?? WINDOW_SECONDS, LONGEST_WINDOW_SECONDS) * 1000
  if (!(Math.abs(now - at) <= windowMs)) refuse('InvalidTimestamp', { date: xDate, window: windowMs / 1000, now: new Date(now).toISOString() })
}

let lastRead = { text: '', at: Number.NaN }

/** Many calls come within one second. */
function instantOf(xDate: string): number {
  if (xDate === lastRead.text) return lastRead.at
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(xDate)
  if (!parts) return refuse('MissingRequestInfo', { what: `an X-Date of the form YYYYMMDD'T'HHMMSS'Z'` })
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number)
  lastRead = { text: xDate, at: Date.UTC(year, month - 1, day, hour, minute, second) }
  return lastRead.at
}

function checkBody(authorization: Authorization, request: SignedRequest): string {
  if (authorization.form === 'query') {
    // A body would not be covered by the signature in this form.
    if (request.method !== 'GET') refuse('InvalidAuthorization', { why: 'a signature in the query is for GET only' })
    return sha256('')
  }
  const bodyHash = sha256(request.body)
  const said = single(request.headers, 'x-content-sha256')
  if (said !== undefined && said.trim().toLowerCase() !== bodyHash) refuse('SignatureDoesNotMatch', { why: 'X-Content-Sha256 is not the hash of the body' })
  return bodyHash
}

/** The queries that a signer may have signed, canonical: signers disagree on whether X-Security-Token takes part in the query form. */
function signedQueries(authorization: Authorization, { query, canonicalQuery: known }: SignedRequest): readonly string[] {
  if (authorization.form === 'header') return [known ?? canonicalQuery(query)]
  const unsigned = query.filter(([name]) => name !== 'X-Signature')
  const withoutToken = unsigned.filter(([name]) => name !== 'X-Security-Token')
  return (withoutToken.length === unsigned.length ? [unsigned] : [unsigned, withoutToken]).map(canonicalQuery)
}

function isSame(expected: string, given: string): boolean {
  const a = Buffer.from(expected)
  const b = Buffer.from(given.toLowerCase())
  return a.length === b.length && timingSafeEqual(a, b)
}
