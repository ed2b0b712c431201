import { single, type HttpHeaders } from '../signature/authorization.ts'

/** Where a reader of server-sent events stands who asks again at the same address, as every browser does (HTML, server-sent events). */
export const LAST_EVENT_ID = 'Last-Event-ID'

/** What such a reader asks for: the address still says what was asked for at first, so the header is what holds. */
export function resumed(body: Record<string, unknown>, headers: HttpHeaders): Record<string, unknown> {
  const last = single(headers, LAST_EVENT_ID.toLowerCase())
  return last === undefined || last === '' ? body : { ...body, LastEventId: last }
}
