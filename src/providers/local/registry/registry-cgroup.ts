import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#ports/clock.ts'
import { ensureCgroup, findCgroupHierarchies, removeCgroup, removeCgroupIfEmpty } from '../control-plane/cgroups.ts'
import type { RegionRegistryOptions } from './region-registry.ts'

/** Keeps a registry in a cgroup of its own, `edgehold-<hash>/registry`: in that of the server's service unit it would end with the server. */
export function registryCgroup(hash: string, clock: Clock): Required<Pick<RegionRegistryOptions, 'onStarted' | 'onStopped'>> {
  const region = `edgehold-${hash}`
  const own = `${region}/registry`
  return {
    async onStarted(pid) {
      for (const folder of await ensureCgroup(await findCgroupHierarchies(), own)) {
        await writeFile(join(folder, 'cgroup.procs'), String(pid)).catch((error: NodeJS.ErrnoException) => {
          // It has ended by itself, which whoever started it sees.
          if (error.code !== 'ESRCH') throw error
        })
      }
    },
    async onStopped() {
      const hierarchies = await findCgroupHierarchies()
      await removeCgroup(hierarchies, own, clock)
      await removeCgroupIfEmpty(hierarchies, region)
    },
  }
}
