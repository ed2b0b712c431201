import { randomFillSync } from 'node:crypto'
import type { Refusal } from '#model/errors/catalogue.ts'

/** What a request says about itself as far as it could be read; missing parts are left out of the answer. */
export interface RequestNames {
  readonly requestId: string
  readonly action?: string
  readonly version?: string
  readonly service: string
  /** As signed. */
  readonly region?: string
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

/** 14 digits of UTC time and 20 upper-case hex digits (api.md 1.3). `now` is real time in epoch ms. */
export function newRequestId(now: number): string {
  return new Date(now).toISOString().replace(/\D/g, '').slice(0, 14) + tenRandomBytes().toUpperCase()
}

export function successEnvelope(names: RequestNames, result: object): object {
  return { ResponseMetadata: metadata(names), Result: result }
}

/** `ResponseMetadata.Error` is always there on an answer that is not 2xx: clients crash without it. */
export function errorEnvelope(names: RequestNames, error: WireError): object {
  return { ResponseMetadata: { ...metadata(names), Error: error } }
}

export function wireError(refusal: Refusal): WireError {
  return { CodeN: refusal.codeN, Code: refusal.wireCode, Message: refusal.message }
}

function metadata(names: RequestNames): object {
  return { RequestId: names.requestId, Action: names.action ?? '', Version: names.version ?? '', Service: names.service, Region: names.region ?? '' }
}
