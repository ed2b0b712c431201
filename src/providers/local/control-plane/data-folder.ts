import { access, mkdir, statfs, writeFile } from 'node:fs/promises'
import { logLineText } from '#model/log-line.ts'
import type { ComponentSeen } from '#ports/control-plane-host.ts'
import { ControlPlaneFailure } from '#ports/control-plane-host.ts'
import type { ClusterPlaces } from './places.ts'

/** An empty cluster takes about 130 MiB (the datastore's log segments are allocated ahead); below that it would die in its first minute. */
const LEAST_FREE_BYTES = 256 * 1024 ** 2
/** Words of the datastore about files that no restart mends. They are its own, and differ from those about a full disk or a taken port. */
const DAMAGE = [
  'crc mismatch', 'snapshot file doesn\'t exist', 'failed to recover v3 backend', 'invalid database', 'file corrupted', 'unexpected end of file', 'walpb: crc',
  'proto: ', 'wal: max entry size limit exceeded', 'wal: slice bounds out of range', 'wal: file not found', 'invalid page type',
]

const isThere = (path: string): Promise<boolean> => access(path).then(() => true, () => false)

/** Makes the data folder; refuses where the datastore was lost (an empty new one would silently be another cluster) or the disk is full. */
export async function ensureDataFolder(places: ClusterPlaces): Promise<void> {
  const lost = await lostData(places, undefined)
  if (lost !== undefined) throw new ControlPlaneFailure(lost, 'never')
  await mkdir(places.etcdData, { recursive: true, mode: 0o700 })
  const disk = await statfs(places.data)
  const freeBytes = disk.bavail * disk.bsize
  if (freeBytes < LEAST_FREE_BYTES)
    throw new ControlPlaneFailure(`The disk of ${places.data} has only ${Math.floor(freeBytes / 1024 ** 2)} MiB free and a control plane needs ${LEAST_FREE_BYTES / 1024 ** 2}. Free some space there; it is tried again by itself.`, 'soon')
}

/** True if the datastore was seen to exist. */
export const wasBegun = (places: ClusterPlaces): Promise<boolean> => isThere(places.begun)

/** True if the datastore has its log, which it makes a moment after it listens. */
export const hasData = (places: ClusterPlaces): Promise<boolean> => isThere(`${places.etcdData}/member/wal`)

/** Notes that the datastore exists from now on, wherever it is seen to; not where all of it is being removed at this moment. */
export async function noteDataBegun(places: ClusterPlaces): Promise<void> {
  if (await wasBegun(places) || !await hasData(places)) return
  await writeFile(places.begun, '').catch((error: NodeJS.ErrnoException) => { if (error.code !== 'ENOENT') throw error })
}

/** A sentence if the datastore was there once and is lost or damaged now. */
export async function lostData(places: ClusterPlaces, etcd: ComponentSeen | undefined): Promise<string | undefined> {
  if (await wasBegun(places) && !await hasData(places))
    return `The datastore of cluster ${places.clusterId} was in ${places.etcdData} and is gone`
  const words = etcd?.state === 'exited' && etcd.recentStarts > 1 ? etcd.lastExit?.lastLines.find(line => DAMAGE.some(word => line.includes(word))) : undefined
  if (words !== undefined) return `The datastore of cluster ${places.clusterId} in ${places.etcdData} is damaged; it says: ${logLineText(words)}`
  return undefined
}

/** The command that starts the datastore, but not where its data went meanwhile: it would begin an empty one, and a supervisor does not look before it starts it again. */
export function unlessDataIsLost(places: ClusterPlaces, command: readonly string[]): readonly string[] {
  const look = 'if [ -e "$1" ] && [ ! -d "$2/member/wal" ]; then echo "The datastore was in $2 and is gone." >&2; exit 66; fi; shift 2; exec "$@"'
  return ['sh', '-c', look, 'etcd', places.begun, places.etcdData, ...command]
}
