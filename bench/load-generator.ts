/**
 * A process of its own that sends the same signed requests again and again over connections that stay open, each one request at a time, and prints what
 * it saw as JSON: `{"perSecond", "total", "p50", "p99", "bytes"}` with times in ms.
 * Input: one JSON object as the first argument, see LoadOrder.
 */
import { readFileSync } from 'node:fs'
import { RawConnection, succeeded } from './raw-connection.ts'

export interface LoadOrder {
  readonly host: string
  readonly port: number
  /** Files with whole HTTP requests, used in turn. */
  readonly files: readonly string[]
  /** A file with a JSON array of more of them. */
  readonly pack?: string
  /** Each request is sent once and measured, without warm-up and without end by time. */
  readonly once?: boolean
  readonly connections: number
  readonly warmUpMs: number
  readonly measureMs: number
}

export interface LoadSeen { readonly perSecond: number; /** With those of the warm-up. */ readonly total: number; readonly p50: number; readonly p99: number; readonly bytes: number }

if (import.meta.main) {
  const order = JSON.parse(process.argv[2] ?? '') as LoadOrder
  process.stdout.write(JSON.stringify(await load(order)))
  process.exit(0)
}

async function load({ host, port, files, pack, once = false, connections, warmUpMs, measureMs }: LoadOrder): Promise<LoadSeen> {
  const packed = pack === undefined ? [] : JSON.parse(readFileSync(pack, 'utf8')) as string[]
  const requests = [...files.map(file => readFileSync(file)), ...packed.map(text => Buffer.from(text))]
  const times: number[] = []
  let turn = 0
  let bytes = 0
  let total = 0
  const from = performance.now() + (once ? 0 : warmUpMs)
  const until = once ? Number.POSITIVE_INFINITY : from + measureMs
  await Promise.all(Array.from({ length: connections }, async () => {
    const connection = await RawConnection.open(host, port)
    for (let sentAt = performance.now(); sentAt < until && !(once && turn >= requests.length); sentAt = performance.now()) {
      ({ bytes } = await succeeded(connection.send(requests[turn++ % requests.length] ?? Buffer.alloc(0))))
      total++
      if (sentAt >= from) times.push(performance.now() - sentAt)
    }
    connection.close()
  }))
  times.sort((one, other) => one - other)
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  const seconds = once ? (performance.now() - from) / 1000 : measureMs / 1000
  return { perSecond: times.length / seconds, total, p50: at(0.5), p99: at(0.99), bytes }
}
