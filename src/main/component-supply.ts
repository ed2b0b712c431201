import type { Components, InstallProgress } from '#ports/components.ts'
import type { Log } from '#ports/log.ts'

/** Whether the programs that clusters of one Kubernetes version need are there, and if not, what they wait for. */
export type Supply = { readonly state: 'ready' } | { readonly state: 'waiting' | 'gaveUp'; readonly says: string }

/** A cluster of some version needs these on the host, and its machines need the rest. */
const OF_EACH_VERSION = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy']
const OF_ALL = ['etcd', 'containerd', 'containerd-shim-runc-v2', 'runc', 'bridge', 'host-local', 'loopback', 'portmap', 'flanneld', 'coredns', 'registry', 'agnhost']
/** What was given up on is tried again after this, since the cause may be a full disk or a network that was away. */
const TRY_AGAIN_MS = 5 * 60_000

/**
 * Installs the components in the background while the region already takes orders, and answers what a cluster waits for. A version counts as supplied
 * once all its programs are there, whatever else is still being built.
 */
export class ComponentSupply {
  readonly #components: Components
  readonly #log: Log
  #progress: InstallProgress | undefined
  #gaveUp: string | undefined
  #whole = false
  #onSupplied: () => void = () => undefined
  #installAgain: () => void = () => undefined

  constructor(components: Components, log: Log) {
    this.#components = components
    this.#log = log
  }

  /** Calls back each time when something more is there, and once when all is. */
  onSupplied(callback: () => void): void {
    this.#onSupplied = callback
  }

  /** Looks each time, since what was there may have been damaged or taken away; then it is brought again. */
  async stateOf(version: string): Promise<Supply> {
    if (await this.#isComplete(version)) return { state: 'ready' }
    if (this.#whole) this.#installAgain()
    if (this.#gaveUp !== undefined) return { state: 'gaveUp', says: this.#gaveUp }
    return { state: 'waiting', says: `The components of Kubernetes ${version} are not there yet: ${this.#progress?.text ?? 'their installation begins'}` }
  }

  /** True once an installation ended with everything there. */
  isWhole(): boolean {
    return this.#whole
  }

  /** One sentence for people. */
  text(): string {
    if (this.#gaveUp !== undefined) return this.#gaveUp
    const progress = this.#progress
    if (this.#whole) return 'all components are installed'
    if (!progress) return 'components are being looked for'
    return `installing components, ${progress.done} of ${progress.total} done: ${progress.text}`
  }

  /** Runs until all is installed or the signal; what failed is tried again. Later, what turns out to be missing is installed in the same way. */
  async run(onProgress: (progress: InstallProgress) => void, wait: (ms: number) => Promise<void>, signal: AbortSignal): Promise<void> {
    this.#installAgain = () => {
      this.#whole = false
      this.#progress = undefined
      void this.#install(onProgress, wait, signal)
    }
    await this.#install(onProgress, wait, signal)
  }

  async #install(onProgress: (progress: InstallProgress) => void, wait: (ms: number) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#components.install({
          onProgress: progress => {
            this.#progress = progress
            onProgress(progress)
            this.#onSupplied()
          },
          signal,
        })
        this.#gaveUp = undefined
        this.#whole = true
        this.#onSupplied()
        return
      } catch (error) {
        if (signal.aborted) return
        this.#gaveUp = error instanceof Error ? error.message : String(error)
        this.#log.error({ error: this.#gaveUp }, 'Installing components did not succeed')
        this.#onSupplied()
        await wait(TRY_AGAIN_MS)
        this.#gaveUp = undefined
      }
    }
  }

  async #isComplete(version: string): Promise<boolean> {
    const wanted = [...OF_ALL.map(name => ({ name, options: {} })), ...OF_EACH_VERSION.map(name => ({ name, options: { kubernetesVersion: version } }))]
    const found = await Promise.allSettled(wanted.map(({ name, options }) => this.#components.find(name, options)))
    return found.every(each => each.status === 'fulfilled')
  }
}
