import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** Names of everything on the host that belongs to one box, all derived from its id, so that whoever makes it again finds the first. */
export interface BoxNames {
  readonly id: string
  /** Folder with the disk's image and the console. */
  readonly folder: string
  readonly image: string
  readonly console: string
  /** Path without ending of the small files that tell its state: `.json`, `.run`, `.end`, `.lock`. */
  readonly state: string
  /** Network namespace, as `ip netns` names it. */
  readonly netns: string
  /** The end of its cable at the bridge, at most 15 characters. */
  readonly veth: string
  readonly machineId: string
  /** Paths below each cgroup hierarchy. */
  readonly cgroup: string
  readonly waiterCgroup: string
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex')

/** `hash` names the state folder on this host. */
export function boxNames(stateDir: string, hash: string, id: string): BoxNames {
  const own = digest(`${hash}/${id}`)
  const folder = join(stateDir, 'boxes', id)
  return {
    id,
    folder,
    image: join(folder, 'disk.img'),
    console: join(folder, 'console.log'),
    state: join(statesFolder(stateDir), id),
    netns: `${netnsPrefix(hash)}${id}`,
    veth: `${vethPrefix(hash)}${own.slice(0, 7)}`,
    machineId: digest(`machine-id ${id}`).slice(0, 32),
    cgroup: join(cgroupParent(hash), 'boxes', id),
    waiterCgroup: join(cgroupParent(hash), 'box-waiters', id),
  }
}

export const statesFolder = (stateDir: string): string => join(stateDir, 'boxes', 'state')
export const cgroupParent = (hash: string): string => `edgehold-${hash}`
export const netnsPrefix = (hash: string): string => `eh${hash}-box-`
export const vethPrefix = (hash: string): string => `b${hash.slice(0, 6)}`
