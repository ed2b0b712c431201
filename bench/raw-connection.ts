/** A connection that stays open, one HTTP request at a time, over a bare socket, so that a client costs less than what it measures. */
import { connect, type Socket } from 'node:net'

export interface RawAnswer { readonly status: number; readonly bytes: number; /** Head and body as they came, as far as they came with the head. */ readonly text: string }

interface Waiting { readonly answered: (answer: RawAnswer) => void; readonly failed: (error: Error) => void }

export class RawConnection {
  readonly #socket: Socket
  #waiting: Waiting | undefined
  #part: Buffer = Buffer.alloc(0)
  #answer: RawAnswer | undefined
  #missing = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => { this.#read(chunk) })
    socket.on('error', error => { this.#fail(error) })
    socket.on('close', () => { this.#fail(new Error('The connection was closed')) })
  }

  static open(host: string, port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host, () => { resolve(new RawConnection(socket)) })
      socket.once('error', reject)
    })
  }

  /** Rejects where the connection ends or the answer has no length. */
  send(request: Buffer): Promise<RawAnswer> {
    return new Promise((answered, failed) => {
      this.#waiting = { answered, failed }
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    if (this.#answer) this.#missing -= chunk.length
    else if (!this.#readHead(chunk)) return
    if (this.#missing > 0 || !this.#answer) return
    const answer = this.#answer
    this.#answer = undefined
    this.#waiting?.answered(answer)
  }

  #readHead(chunk: Buffer): boolean {
    this.#part = this.#part.length > 0 ? Buffer.concat([this.#part, chunk]) : chunk
    const end = this.#part.indexOf('\r\n\r\n')
    if (end < 0) return false
    const head = this.#part.toString('latin1', 0, end), bytes = Number(/content-length: (\d+)/i.exec(head)?.[1])
    if (!(bytes >= 0)) {
      this.#fail(new Error(`An answer without a length came: ${head}`))
      return false
    }
    this.#answer = { status: Number(head.slice(9, 12)), bytes, text: this.#part.toString('utf8') }
    this.#missing = bytes - (this.#part.length - end - 4)
    this.#part = Buffer.alloc(0)
    return true
  }

  #fail(error: Error): void {
    this.#waiting?.failed(error)
  }
}

/** The answer of a request that has to succeed. */
export async function succeeded(answer: Promise<RawAnswer>): Promise<RawAnswer> {
  const said = await answer
  if (said.status !== 200) throw new Error(`An answer that is no success came: ${said.text.slice(0, 600)}`)
  return said
}
