import type { Socket } from 'node:net'

/** At once from one address: many machines may share one, and each has a handful. One alone cannot take all that the listener has. */
const MOST_OF_ONE = 64

/** The connections that are open now, those of one address never more than its share. */
export class Connections {
  readonly #open = new Map<string, Set<Socket>>()

  /** One beyond its address's share is closed at once. */
  add(socket: Socket): void {
    const address = socket.remoteAddress ?? ''
    const open = this.#open.get(address) ?? new Set<Socket>()
    if (open.size >= MOST_OF_ONE) {
      socket.destroy()
      return
    }
    open.add(socket)
    this.#open.set(address, open)
    socket.on('close', () => {
      open.delete(socket)
      if (open.size === 0) this.#open.delete(address)
    })
  }

  cut(): void {
    for (const sockets of this.#open.values()) for (const socket of sockets) socket.destroy()
  }
}
