import { readFile, rm, writeFile } from 'node:fs/promises'
import type { Clock } from '#ports/clock.ts'
import type { ControlPlaneComponent } from '#ports/control-plane-host.ts'
import { killCgroup, processesOf, removeCgroup, sendSignal, type CgroupHierarchies } from './cgroups.ts'
import { COMPONENTS, type ClusterPlaces } from './places.ts'
import { parseSupervisorStatus } from './supervision.ts'

/** Time for the datastore to close its files by itself; it survives being killed, so this only spares the next start some work. */
const ETCD_GRACE_MS = 3_000

/** Ends every component: those without a memory of their own at once, then the datastore kindly. Collects failures instead of stopping at the first. */
export async function stopComponents(places: ClusterPlaces, hierarchies: CgroupHierarchies, clock: Clock): Promise<void> {
  const stateless = COMPONENTS.filter(name => name !== 'etcd')
  const results = await Promise.allSettled(stateless.map(name => killCgroup(hierarchies, places.cgroupOf(name), clock)))
  results.push(...await Promise.allSettled([stopKindly(places, hierarchies, clock, 'etcd')]))
  const failures = results.flatMap(result => result.status === 'rejected' ? [result.reason as unknown] : [])
  if (failures.length > 0) throw new AggregateError(failures, `Processes of ${places.clusterId} could not be ended: ${failures.map(failure => failure instanceof Error ? failure.message : String(failure)).join(' ')}`)
  await removeCgroup(hierarchies, places.cgroup, clock)
}

async function stopKindly(places: ClusterPlaces, hierarchies: CgroupHierarchies, clock: Clock, name: ControlPlaneComponent): Promise<void> {
  const group = places.cgroupOf(name)
  const members = processesOf(hierarchies, group)
  const said = parseSupervisorStatus(await readFile(places.statusFile(name), 'utf8').catch(() => ''))
  if (said.pid !== undefined && members.includes(said.pid)) {
    // Tells the supervisor that this end is wanted.
    await writeFile(`${places.supervision(name)}/stopping`, '')
    sendSignal(said.pid, 'SIGTERM')
    const deadline = clock.now() + ETCD_GRACE_MS
    while (clock.now() < deadline && processesOf(hierarchies, group).length > 0) await clock.sleep(20)
  }
  await killCgroup(hierarchies, group, clock)
}

/** Removes keys and supervisors' files, which a later start makes anew. */
export async function removeRunFiles(places: ClusterPlaces): Promise<void> {
  await rm(places.run, { recursive: true, force: true })
}
