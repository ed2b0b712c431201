/**
 * A process of its own that sends the same signed requests again and again over connections that stay open, each one request at a time, and prints what
 * it saw as JSON: `{"perSecond", "total", "p50", "p99", "bytes"}` with times in ms. Raw sockets, so that it costs less than what it measures.
 * Input: one JSON object as the first argument, see LoadOrder.
 */
import { connect } from 'node:net'
import { readFileSync } from 'node:fs'

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
  await Promise.all(Array.from({ length: connections }, () => new Promise<void>((resolve, reject) => {
    const socket = connect(port, host)
    socket.setNoDelay(true)
    let sentAt = 0
    let waiting = 0
    const send = (): void => {
      sentAt = performance.now()
      if (sentAt >= until || (once && turn >= requests.length)) {
        socket.destroy()
        resolve()
        return
      }
      waiting = 0
      socket.write(requests[turn++ % requests.length] ?? '')
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('close', () => { resolve() })
    let part: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      if (waiting > 0) {
        waiting -= chunk.length
        if (waiting > 0) return
      } else {
        part = part.length > 0 ? Buffer.concat([part, chunk]) : chunk
        const end = part.indexOf('\r\n\r\n')
        if (end < 0) return
        const head = part.toString('latin1', 0, end)
        const status = Number(head.slice(9, 12))
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
        if (!(length >= 0)) { reject(new Error(`An answer without a length came: ${head}`)); return }
        if (status !== 200) { reject(new Error(`An answer that is no success came: ${part.toString('utf8').slice(0, 600)}`)); return }
        bytes = length
        waiting = length - (part.length - end - 4)
        part = Buffer.alloc(0)
        if (waiting > 0) return
      }
      const now = performance.now()
      total++
      if (sentAt >= from) times.push(now - sentAt)
      send()
    })
  })))
  times.sort((one, other) => one - other)
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  const seconds = once ? (performance.now() - from) / 1000 : measureMs / 1000
  return { perSecond: times.length / seconds, total, p50: at(0.5), p99: at(0.99), bytes }
}
