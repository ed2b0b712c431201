import type { Clock } from '#ports/clock.ts'
import { ApiRefusal, ApiUnreachable, type ApiClient } from './api-client.ts'
import { jsonLines } from './json-lines.ts'
import type { KubernetesList, KubernetesObject } from './objects.ts'

/** Page of a list: small enough that two thousand nodes never lie in memory as text at once. */
const PAGE = 500
/** The server ends each watch after this long; it is taken up again where it was. */
const WATCH_S = 540
/** Bookmarks come every minute; two and a half without anything means that nobody is there. */
const SILENCE_MS = 150_000
const BACKOFF_MS = [0, 250, 500, 1_000, 2_000, 5_000] as const

interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: T & { readonly code?: number; readonly message?: string; readonly reason?: string }
}

export interface ListWatchHandlers<T> {
  /** The whole list: first, and after every time we could not see or had lost our place. */
  onSync(objects: readonly T[]): Promise<void>
  onChange(object: T): Promise<void>
  onGone(object: T): Promise<void>
  /** Once each time the watch is lost and could not be taken up at once. `onSync` tells when it is back. */
  onLost(why: string): Promise<void>
}

/**
 * Lists a collection and then watches it, for as long as the signal allows. A broken watch is taken up again where it was; if that fails, it is lost:
 * the handlers are told, and after growing pauses (at most 5 s) it begins anew with a list. What handlers throw ends it.
 */
export async function listWatch<T extends KubernetesObject>(client: ApiClient, path: string, handlers: ListWatchHandlers<T>, clock: Clock, signal: AbortSignal): Promise<void> {
  let version: string | undefined
  let failures = 0
  let lost = false
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const list = await listAll<T>(client, path)
        await handlers.onSync(list.objects)
        version = list.version
        lost = false
        failures = 0
      }
      const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${WATCH_S}&resourceVersion=${encodeURIComponent(version)}`
      for await (const event of jsonLines<WatchEvent<T>>(client.stream(`${path}?${query}`, { signal, silenceMs: SILENCE_MS }))) {
        if (signal.aborted) return
        if (event.type === 'ERROR') throw new ApiRefusal(event.object.message ?? 'The watch ended with an error', event.object.code ?? 500, event.object.reason ?? '')
        if (event.type === 'DELETED') await handlers.onGone(event.object)
        else if (event.type !== 'BOOKMARK') await handlers.onChange(event.object)
        version = event.object.metadata.resourceVersion ?? version
        failures = 0
      }
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof ApiUnreachable || error instanceof ApiRefusal)) throw error
      // 410: the server no longer knows our place. Nothing is wrong, but only a list can tell what we missed.
      if (error instanceof ApiRefusal && error.httpStatus === 410 && version !== undefined) {
        version = undefined
        continue
      }
      if (failures > 0) {
        version = undefined
        if (!lost) await handlers.onLost(error.message)
        lost = true
      }
      const pause = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)] ?? 5_000
      failures++
      // The signal ends the pause by an error of its own; the loop's condition sees it.
      await clock.sleep(pause, signal).catch(() => {})
    }
  }
}

async function listAll<T>(client: ApiClient, path: string): Promise<{ objects: T[]; version: string }> {
  const objects: T[] = []
  let version = ''
  let next: string | undefined
  do {
    const list: KubernetesList<T> = await client.json('GET', `${path}?limit=${PAGE}${next === undefined ? '' : `&continue=${encodeURIComponent(next)}`}`)
    objects.push(...list.items ?? [])
    version = list.metadata.resourceVersion ?? version
    next = list.metadata.continue || undefined
  } while (next !== undefined)
  return { objects, version }
}
