import { existsSync } from 'node:fs'
import type { CgroupHierarchies } from './cgroups.ts'
import type { ClusterPlaces } from './places.ts'

/** What lies on the host of a cluster beside its network and what its components say: each word a place that a removal which was cut short may have left. */
export function keptBy(places: ClusterPlaces, hierarchies: CgroupHierarchies): readonly string[] {
  return [
    ...(existsSync(places.namespaceFile) ? ['the file of its namespace'] : []),
    ...(existsSync(places.data) ? ['its data'] : []),
    ...(existsSync(places.run) ? ['its keys and supervisors'] : []),
    ...(hierarchies.all.some(root => existsSync(`${root}/${places.cgroup}`)) ? ['its cgroups'] : []),
  ]
}
