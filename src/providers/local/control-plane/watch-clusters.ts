import { watch, type FSWatcher } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { once } from 'node:events'
import type { CgroupHierarchies } from './cgroups.ts'
import { clusterPlaces, clustersFolder, COMPONENTS, type HostFolders } from './places.ts'

/**
 * Calls back when a supervisor wrote a new status, or when a component's cgroup became empty, which is how a killed supervisor shows.
 * The kernel tells both (inotify), so that waiting costs nothing. Ends when aborted.
 */
export async function watchClusters(folders: HostFolders, hierarchies: CgroupHierarchies, onChange: (clusterId: string) => void, signal: AbortSignal): Promise<void> {
  const base = clustersFolder(folders)
  await mkdir(base, { recursive: true, mode: 0o700 })
  const watchers = new Map<string, FSWatcher>()
  const pending = new Set<string>()

  const tell = (clusterId: string): void => {
    // A start writes a few files at once: one call is enough.
    if (pending.has(clusterId)) return
    pending.add(clusterId)
    setImmediate(() => {
      pending.delete(clusterId)
      if (!signal.aborted) onChange(clusterId)
    })
  }

  /** Watches a path anew: the one watched before under that name may have been removed and made again. */
  const attach = (path: string, onEvent: (file: string | null) => void): void => {
    watchers.get(path)?.close()
    watchers.delete(path)
    try {
      const watcher = watch(path, { persistent: false }, (_event, file) => onEvent(file))
      watcher.on('error', () => watcher.close())
      watchers.set(path, watcher)
    } catch (error) {
      // Not there yet, or gone again: the folder above it tells when it comes.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  const attachCluster = (clusterId: string): void => {
    const places = clusterPlaces(folders, clusterId)
    const attachGroup = (component: string): void => {
      const known = COMPONENTS.find(name => name === component)
      if (known && hierarchies.tellsWhenEmpty) attach(`${hierarchies.identity}/${places.cgroupOf(known)}/cgroup.events`, () => tell(clusterId))
    }
    attach(places.run, file => { if (file === 'status') attachStatus() })
    const attachStatus = (): void => {
      attach(places.status, file => {
        if (file !== null) attachGroup(file)
        tell(clusterId)
      })
      for (const component of COMPONENTS) attachGroup(component)
      tell(clusterId)
    }
    attachStatus()
  }

  attach(base, file => { if (file !== null) attachCluster(file) })
  for (const clusterId of await readdir(base)) attachCluster(clusterId)
  if (!signal.aborted) await once(signal, 'abort')
  for (const watcher of watchers.values()) watcher.close()
}
