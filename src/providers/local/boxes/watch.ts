import { watch } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import type { Clock } from '#ports/clock.ts'
import type { MachineSeen } from '#ports/machines.ts'
import { statesFolder } from './names.ts'

/**
 * Tells power and link changes of all boxes of a state folder. The waiter of each box writes its end into the folder of states, whose changes the
 * kernel tells us at once; a look at everything each second catches what was done behind our back (a waiter killed too, a cable pulled by hand).
 */
export async function watchBoxes(
  stateDir: string,
  clock: Clock,
  look: { all: () => Promise<readonly string[]>; one: (id: string) => Promise<MachineSeen | undefined> },
  onChange: (seen: MachineSeen) => void,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(statesFolder(stateDir), { recursive: true, mode: 0o700 })
  const told = new Map<string, string>()
  const changed = new Set<string>()
  let wake = (): void => {}
  const watcher = watch(statesFolder(stateDir), (_event, file) => {
    if (file && /\.(json|run|end)$/.test(file)) changed.add(file.replace(/\.[a-z]+$/, ''))
    wake()
  })
  watcher.on('error', () => {}) // the slow look goes on

  const tell = async (id: string): Promise<void> => {
    const seen = await look.one(id)
    if (!seen) {
      told.delete(id)
      return
    }
    const text = JSON.stringify(seen)
    if (told.get(id) === text) return
    told.set(id, text)
    onChange(seen)
  }

  try {
    for (const id of await look.all()) await tell(id)
    while (!signal.aborted) {
      if (changed.size === 0) {
        const pause = new AbortController()
        wake = () => pause.abort()
        signal.addEventListener('abort', wake, { once: true })
        const timedOut = await clock.sleep(1_000, pause.signal).then(() => true, () => false)
        signal.removeEventListener('abort', wake)
        if (signal.aborted) break
        if (timedOut) for (const id of await look.all()) changed.add(id)
      }
      const now = [...changed]
      changed.clear()
      for (const id of now) await tell(id)
    }
  } finally {
    watcher.close()
  }
}
