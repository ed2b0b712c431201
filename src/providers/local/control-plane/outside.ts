import { X509Certificate } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import { pkiFiles } from '#kubernetes/control-plane/places.ts'
import type { LeafOrder } from '#kubernetes/pki/leaves.ts'
import { renameApiServer } from '#kubernetes/pki/leaves.ts'
import type { Log } from '#ports/log.ts'
import { ensureOutsidePort, outsidePort, OutsidePortTaken } from '../host-network/outside-ports.ts'
import type { HostNetworkSettings } from '../host-network/settings.ts'
import type { ClusterPlaces } from './places.ts'
import { writePrivateFiles } from './start-components.ts'

/** How clients outside reach API servers of this host. */
export interface OutsideOptions {
  readonly network: HostNetworkSettings
  readonly log: Log
  /** Outside names and addresses for the API servers' certificates. */
  readonly advertised?: readonly string[]
  /** The host port of the first address of the region's range; undefined: nothing leads in from outside. */
  readonly outsidePortBase?: number | undefined
}

/** Makes the cluster's port lead to its API server, where that is wanted. Throws OutsidePortTaken. */
export async function leadIn(places: ClusterPlaces, address: string, { network, outsidePortBase }: OutsideOptions): Promise<void> {
  if (outsidePortBase === undefined) return
  await ensureOutsidePort(network, { clusterId: places.clusterId, address, port: outsidePort(network, outsidePortBase, address) })
}

/**
 * The cluster's port, before it starts. A new cluster whose port is taken waits and says so; one that has data in it comes back without being reached from
 * outside, which is less of a loss than not coming back.
 */
export async function leadInAtStart(places: ClusterPlaces, address: string, options: OutsideOptions): Promise<void> {
  try {
    await leadIn(places, address, options)
  } catch (error) {
    const hasData = await access(places.begun).then(() => true, () => false)
    if (!(error instanceof OutsidePortTaken) || !hasData) throw error
    options.log.warn({ clusterId: places.clusterId, error: error.message }, 'A cluster starts without being reached from outside')
  }
}

/** Whether the API server's certificate, if one was made, names all that is advertised. */
export async function namesAll(places: ClusterPlaces, advertised: readonly string[]): Promise<boolean> {
  const text = await readFile(certificateFiles(places).cert, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return true
  const certificate = new X509Certificate(text)
  return advertised.every(name => (isIPv4(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined)
}

/** Signs the API server's certificate anew for its present key. One file is replaced, as a whole; a running API server reads it again by itself within a minute. */
export async function nameAnew(places: ClusterPlaces, order: LeafOrder): Promise<void> {
  const file = certificateFiles(places)
  await writePrivateFiles(new Map([[file.cert, await renameApiServer(order, await readFile(file.key, 'utf8'))]]))
}

function certificateFiles(places: ClusterPlaces): { cert: string; key: string } {
  const file = pkiFiles({ pki: places.pki, etcdData: places.etcdData })
  return { cert: file.cert('apiserver'), key: file.key('apiserver') }
}
