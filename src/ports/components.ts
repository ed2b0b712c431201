/**
 * The programs that Edgehold runs and hands to machines. In this order they come from: a folder named in the configuration, the cache that
 * all state folders of a user share, the official release (checksum verified), a build of the Go tool modules under `components/`.
 */
export const ARCHITECTURES = ['amd64', 'arm64'] as const
export type Architecture = (typeof ARCHITECTURES)[number]

/** A program by the name its upstream gives it, e.g. `kube-apiserver`, `containerd`, `flanneld`, `registry`. */
export type ComponentName = string

export interface ComponentFile {
  readonly name: ComponentName
  /** Upstream's version with its `v`, e.g. `v1.34.4`. */
  readonly version: string
  readonly architecture: Architecture
  /** Absolute path of an executable file. */
  readonly path: string
  /** Lower-case hex. */
  readonly sha256: string
  readonly sizeBytes: number
}

export interface ComponentState {
  readonly name: ComponentName
  readonly version: string
  readonly architecture: Architecture
  readonly state: 'installed' | 'missing'
  readonly from?: 'folder' | 'cache' | 'release' | 'build'
  readonly path?: string
}

/** One line of progress while components are installed; `done` and `total` count components. */
export interface InstallProgress {
  readonly done: number
  readonly total: number
  /** A sentence such as `Building Kubernetes v1.34.4 (6 programs), about 5 minutes`. */
  readonly text: string
}

/** A component is not there; the message is a sentence that says which command brings it. */
export class ComponentMissing extends Error {
  readonly kind = 'ComponentMissing'
}

/** Installation of a component gave up; the message says what was tried and what each attempt said last. */
export class InstallFailed extends Error {
  readonly kind = 'InstallFailed'
}

export interface Components {
  /** Kubernetes versions served, newest last, e.g. `['v1.34.4', 'v1.35.4']`. */
  kubernetesVersions(): readonly string[]
  /**
   * The file of a component. Kubernetes' own programs exist once a minor: give `kubernetesVersion` for them. Throws ComponentMissing.
   * Cheap to call often (checksums are kept beside the files).
   */
  find(name: ComponentName, options?: { kubernetesVersion?: string; architecture?: Architecture }): Promise<ComponentFile>
  /** Every component with whether it is there, for `components list`. */
  list(architecture?: Architecture): Promise<readonly ComponentState[]>
  /**
   * Installs what is missing, in an order that makes a first cluster possible soonest. Safe to interrupt and to call again (goes on where it was);
   * two processes of one user do not build the same thing twice (a lock on the cache). Throws InstallFailed after trying everything else.
   */
  install(options: {
    architecture?: Architecture
    /** Only these minors, e.g. `['v1.34.4']`; all by default. */
    kubernetesVersions?: readonly string[]
    onProgress: (progress: InstallProgress) => void
    signal: AbortSignal
  }): Promise<void>
}
