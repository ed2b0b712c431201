import { createHash } from 'node:crypto'
import type { Clock } from '#ports/clock.ts'
import type { ClusterBase } from '#ports/tenant-cluster.ts'
import { ApiRefusal, type ApiClient } from '../../client/api-client.ts'
import { clusterDns } from './cluster-dns.ts'
import { MEMBERSHIP_POLICY } from './membership-policy.ts'
import { BASE_MARK, MEMBERS, SYSTEM_NAMESPACE } from './names.ts'
import { RIGHTS, type Manifest } from './rights.ts'

/** Kubernetes makes its own namespaces in the first moments after it is ready. */
const NAMESPACE_DEADLINE_MS = 10_000

/** All that every tenant cluster gets before it counts as usable. */
export function baseManifests(base: ClusterBase): readonly Manifest[] {
  return [...RIGHTS, ...MEMBERSHIP_POLICY, ...clusterDns(base)]
}

/** Stands for the content of the base we want, apart from the addresses that never change in a cluster's life. */
export const BASE_VERSION = createHash('sha256')
  .update(JSON.stringify(baseManifests({ serviceCidr: '10.0.0.0/16', podCidr: '10.1.0.0/16', registry: 'registry' })))
  .digest('hex').slice(0, 16)

/** Where an object of that kind is read and written. */
export function pathOf(manifest: Manifest): string {
  const { apiVersion, kind, metadata } = manifest
  const plural = kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const place = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`
  return `${root}${place}/${plural.toLowerCase()}/${encodeURIComponent(metadata.name)}`
}

/** Applies everything, then the mark that says so: a crash in between is told apart from done. */
export async function applyBase(api: ApiClient, base: ClusterBase, clock: Clock): Promise<void> {
  await withNamespace(clock, () => ensureMembersList(api))
  await Promise.all(baseManifests(base).map(manifest => api.apply(pathOf(manifest), manifest)))
  const mark: Manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: BASE_MARK, namespace: SYSTEM_NAMESPACE }, data: { version: BASE_VERSION } }
  await api.apply(pathOf(mark), mark)
}

/** An empty list where there is none; one that is there is somebody's and stays. */
async function ensureMembersList(api: ApiClient): Promise<void> {
  await api.json('POST', `/api/v1/namespaces/${SYSTEM_NAMESPACE}/configmaps`, { body: { metadata: { name: MEMBERS } } }).catch((error: unknown) => {
    if (!(error instanceof ApiRefusal && error.reason === 'AlreadyExists')) throw error
  })
}

async function withNamespace(clock: Clock, work: () => Promise<void>): Promise<void> {
  const deadline = clock.now() + NAMESPACE_DEADLINE_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ApiRefusal && error.httpStatus === 404) || clock.now() > deadline) throw error
      await clock.sleep(50)
    }
  }
}
