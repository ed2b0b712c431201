import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '#ports/clock.ts'
import { ControlPlaneFailure, type ControlPlaneComponent } from '#ports/control-plane-host.ts'
import { ensureCgroup, killCgroup, processesOf, type CgroupHierarchies } from './cgroups.ts'
import type { ClusterPlaces } from './places.ts'

const JOIN_DEADLINE_MS = 10_000
const SUPERVISOR = join(import.meta.dirname, 'supervisor.sh')

/** Writes files that only root may read, each as a whole or not at all. Files that are there already stay. */
export async function writePrivateFiles(files: ReadonlyMap<string, string>): Promise<void> {
  for (const folder of new Set([...files.keys()].map(path => dirname(path)))) await mkdir(folder, { recursive: true, mode: 0o700 })
  await Promise.all([...files].map(async ([path, content]) => {
    await writeFile(`${path}.new`, content, { mode: 0o600 })
    await rename(`${path}.new`, path)
  }))
}

/**
 * Starts a supervisor for the component in the cluster's namespace. What an earlier supervisor left in the component's cgroup is killed first, so
 * that there is never a second one. Ends when the supervisor is in its cgroup, not when the component is up.
 */
export async function startSupervisor(places: ClusterPlaces, hierarchies: CgroupHierarchies, clock: Clock, component: ControlPlaneComponent, command: readonly string[]): Promise<void> {
  const folder = places.supervision(component)
  const groups = await ensureCgroup(hierarchies, places.cgroupOf(component))
  await killCgroup(hierarchies, places.cgroupOf(component), clock)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await mkdir(places.status, { recursive: true, mode: 0o700 })
  await rm(`${folder}/stopping`, { force: true })
  // A copy, because a shell reads its script while it runs it: an update of ours must not change a running supervisor's words.
  const script = `${folder}/supervisor.sh`
  await writePrivateFiles(new Map([[script, await readFile(SUPERVISOR, 'utf8')]]))
  const child = spawn('nsenter', [`--net=${places.namespaceFile}`, 'sh', script, component, folder, places.status, ...groups, '--', ...command], {
    stdio: 'ignore', detached: true, cwd: '/',
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin' },
  })
  await once(child, 'spawn')
  child.unref()
  // Until it is in its cgroup it could not be found, and a stop would miss it.
  const deadline = clock.now() + JOIN_DEADLINE_MS
  while (processesOf(hierarchies, places.cgroupOf(component)).length === 0) {
    if (child.exitCode !== null || clock.now() > deadline)
      throw new ControlPlaneFailure(`The supervisor of ${component} ${child.exitCode === null ? 'did not start' : `ended with ${child.exitCode}`} before it could start anything. Check that nsenter, setpriv, flock and dd are there and that ${groups.at(-1)} can be written to.`, 'soon')
    await clock.sleep(2)
  }
}
