import { randomFillSync } from 'node:crypto'
import type { Refusal } from '#model/errors/catalogue.ts'
import { Rendered } from './rendered.ts'

/** What a request says about itself as far as it could be read; missing parts are left out of the answer. */
export interface RequestNames {
  readonly requestId: string
  readonly action: string | undefined
  readonly version: string | undefined
  readonly service: string
  /** As signed. */
  readonly region: string | undefined
}

export interface WireError { readonly CodeN: number; readonly Code: string; readonly Message: string }

// Drawn in advance: one call of the generator for each request would be the dearest thing in it.
const pool = Buffer.allocUnsafe(10_000)
let drawn = pool.length

function tenRandomBytes(): string {
  if (drawn >= pool.length) {
    randomFillSync(pool)
    drawn = 0
  }
  drawn += 10
  return pool.toString('hex', drawn - 10, drawn)
}

let second = Number.NaN
let digits = ''

/** 14 digits of UTC time and 20 upper-case hex digits (api.md 1.3). `now` is real time in epoch ms. */
export function newRequestId(now: number): string {
  const ofNow = Math.floor(now / 1000)
  if (ofNow !== second) {
    second = ofNow
    digits = new Date(ofNow * 1000).toISOString().replace(/\D/g, '').slice(0, 14)
  }
  return digits + tenRandomBytes().toUpperCase()
}

/** The JSON of an answer, as what stands before its result, the result, and what stands behind it. */
export function successParts(names: RequestNames, result: object): readonly [before: string, result: string, behind: string] {
  return [`{"ResponseMetadata":${metadata(names)}},"Result":`, result instanceof Rendered ? result.json : JSON.stringify(result), '}']
}

/** `ResponseMetadata.Error` is always there on an answer that is not 2xx: clients crash without it. */
export function errorText(names: RequestNames, error: WireError): string {
  return `{"ResponseMetadata":${metadata(names)},"Error":${JSON.stringify(error)}}}`
}

export function wireError(refusal: Refusal): WireError {
  return { CodeN: refusal.codeN, Code: refusal.wireCode, Message: refusal.message }
}

/** Up to its last member, without the closing brace. */
function metadata({ requestId, action, version, service, region }: RequestNames): string {
  return `{"RequestId":"${requestId}","Action":${textOf(action)},"Version":${textOf(version)},"Service":${textOf(service)},"Region":${textOf(region)}`
}

function textOf(name: string | undefined): string {
  if (name === undefined) return '""'
  return /^[\w.-]*$/.test(name) ? `"${name}"` : JSON.stringify(name)
}
