import { homedir } from 'node:os'
import { join } from 'node:path'

import {
  ComponentMissing, InstallFailed,
  type Architecture, type ComponentFile, type ComponentName, type Components, type ComponentState, type InstallProgress,
} from '#ports/components.ts'

import { findEntry } from './cache-entry.ts'
import { GROUPS, type Group, type Program } from './catalogue.ts'
import { findInFolder } from './component-folder.ts'
import { readContentKey } from './content-key.ts'
import { installComponents } from './install.ts'
import { hostArchitecture } from './toolchain.ts'

export interface ComponentCacheOptions {
  /** Shared by all state folders of a user; see defaultCacheDir. */
  readonly cacheDir: string
  /** A folder of programs that the operator filled; wins over all else. */
  readonly folder?: string
  /** Whether official releases may be downloaded. */
  readonly releases: boolean
  /** Where `components/` with the Go tool modules lies. */
  readonly repositoryDir: string
  /** The catalogue, unless a test brings its own. */
  readonly groups?: readonly Group[]
  /** Environment of builds: PATH with `go`, GOPROXY, caches; the process's own by default. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

type Found = ComponentFile & { readonly from: NonNullable<ComponentState['from']> }

/** The cache that a user's state folders share: `$XDG_CACHE_HOME/edgehold/components`, else under `~/.cache`. */
export function defaultCacheDir(env: Readonly<Record<string, string | undefined>>): string {
  const caches = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache')
  return join(caches, 'edgehold', 'components')
}

/** The components of this host: found in the operator's folder or the user's cache, installed from official releases or by building. */
export class ComponentCache implements Components {
  readonly #options: ComponentCacheOptions
  readonly #groups: readonly Group[]
  readonly #componentsDir: string
  readonly #keys = new Map<string, Promise<string>>()

  constructor(options: ComponentCacheOptions) {
    this.#options = options
    this.#groups = options.groups ?? GROUPS
    this.#componentsDir = join(options.repositoryDir, 'components')
  }

  kubernetesVersions(): readonly string[] {
    return this.#groups.filter((group) => group.perKubernetesVersion).map((group) => group.version).toSorted(byNumber)
  }

  /** Without `kubernetesVersion`, one of Kubernetes' own programs is that of the first version that is there. */
  async find(name: ComponentName, options: { kubernetesVersion?: string; architecture?: Architecture } = {}): Promise<ComponentFile> {
    const architecture = options.architecture ?? this.#host()
    const wanted = this.#groups.flatMap((group) => group.programs.filter((program) => program.name === name).map((program) => ({ group, program })))
    if (wanted.length === 0) throw new ComponentMissing(`There is no component named ${name}.`)
    const { kubernetesVersion } = options
    const served = wanted.filter(({ group }) => !group.perKubernetesVersion || kubernetesVersion === undefined || group.version === kubernetesVersion)
    if (served.length === 0) {
      throw new ComponentMissing(`Kubernetes ${kubernetesVersion} is not served; served are ${this.kubernetesVersions().join(' and ')}.`)
    }
    for (const { group, program } of served) {
      const found = await this.#look(group, program, architecture)
      if (found) {
        const { from: _from, ...file } = found
        return file
      }
    }
    const flag = architecture === hostArchitecture() ? '' : ` --arch ${architecture}`
    throw new ComponentMissing(`${name} ${served.map(({ group }) => group.version).join(' or ')} for ${architecture} is not installed; run: edgehold components install${flag}`)
  }

  /** Each file was compared with its checksum since it last changed; a damaged one is missing. */
  async list(architecture: Architecture = this.#host()): Promise<readonly ComponentState[]> {
    const states: ComponentState[] = []
    for (const group of this.#groups) {
      for (const program of programsFor(group, architecture)) {
        const id = { name: program.name, version: group.version, architecture }
        const found = await this.#look(group, program, architecture)
        states.push(found ? { ...id, state: 'installed', from: found.from, path: found.path } : { ...id, state: 'missing' })
      }
    }
    return states
  }

  async install(options: {
    architecture?: Architecture
    kubernetesVersions?: readonly string[]
    onProgress: (progress: InstallProgress) => void
    signal: AbortSignal
  }): Promise<void> {
    const architecture = options.architecture ?? this.#host()
    const minors = options.kubernetesVersions
    const unserved = minors?.filter((version) => !this.kubernetesVersions().includes(version)) ?? []
    if (unserved.length > 0) throw new InstallFailed(`Kubernetes ${unserved.join(' and ')} is not served; served are ${this.kubernetesVersions().join(' and ')}.`)
    const chosen = this.#groups
      .filter((group) => !group.perKubernetesVersion || minors === undefined || minors.includes(group.version))
      .map((group) => ({ group, programs: programsFor(group, architecture) }))
      .filter(({ programs }) => programs.length > 0)
    await installComponents({
      chosen,
      architecture,
      cacheDir: this.#options.cacheDir,
      componentsDir: this.#componentsDir,
      releases: this.#options.releases,
      env: this.#options.env ?? process.env,
      isThere: async (group, program) => (await this.#look(group, program, architecture)) !== undefined,
      keyOf: (group) => this.#key(group, architecture),
      onProgress: options.onProgress,
      signal: options.signal,
    })
  }

  async #look(group: Group, program: Program, architecture: Architecture): Promise<Found | undefined> {
    const { folder, cacheDir } = this.#options
    if (folder !== undefined) {
      const isHost = architecture === hostArchitecture()
      const given = await findInFolder(folder, program.name, group.version, architecture, group.perKubernetesVersion ?? false, isHost)
      if (given) return { ...given, from: 'folder' }
    }
    const key = await this.#key(group, architecture)
    return findEntry(cacheDir, { name: program.name, version: group.version, architecture, key })
  }

  #key(group: Group, architecture: Architecture): Promise<string> {
    const id = `${group.folder}/${architecture}`
    const key = this.#keys.get(id) ?? readContentKey(this.#componentsDir, group, architecture)
    this.#keys.set(id, key)
    return key
  }

  #host(): Architecture {
    const host = hostArchitecture()
    if (!host) throw new ComponentMissing(`There are no components for this host's processor (${process.arch}); amd64 and arm64 are served.`)
    return host
  }
}

/** Other architectures get what machines need; control planes run here. */
function programsFor(group: Group, architecture: Architecture): readonly Program[] {
  return architecture === hostArchitecture() ? group.programs : group.programs.filter((program) => program.onMachines)
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

