import { after, before } from 'node:test'
import type { Store } from '#ports/store.ts'

/** Opens a store of its own for a contract. */
export type OpenForContract = () => Promise<{ store: Store; close(): Promise<void> }>

/** Opens it before the tests of the suite that this is called in, and closes it after them. */
export function withStore(open: OpenForContract, use: (store: Store) => void): void {
  let opened: Awaited<ReturnType<OpenForContract>> | undefined
  before(async () => {
    opened = await open()
    use(opened.store)
  })
  after(() => opened?.close())
}
