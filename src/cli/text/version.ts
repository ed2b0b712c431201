import type { Cluster } from '#client/calls.ts'
import { servedVersion } from '#model/versions.ts'

type Versions = Pick<Cluster, 'KubernetesVersion' | 'ServedVersion'>

/** The version that runs; with the one asked for, where another had to be taken: `v1.34.4 (1.20 was asked for)`. */
export function versionWords(cluster: Versions): string {
  return choiceOf(cluster) === undefined ? cluster.ServedVersion : `${cluster.ServedVersion} (${cluster.KubernetesVersion} was asked for)`
}

/** A sentence without its full stop where the server had to choose another version than the one asked for. */
export function choiceOf({ KubernetesVersion: asked, ServedVersion: runs }: Versions): string | undefined {
  return servedVersion(asked, [runs]).says
}
