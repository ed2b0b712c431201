import { createHash } from 'node:crypto'
import { access, chmod, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import { Agent, fetch } from 'undici'

import { takeCacheLock, type CacheLock } from '#kubernetes/components/cache-lock.ts'
import { runChild } from '#kubernetes/components/child.ts'
import { ARCHITECTURES, ComponentMissing, type ComponentFile, type ComponentName, type Components } from '#ports/components.ts'
import type { ImageRegistry } from '#ports/images.ts'

import { readArchiveImage } from './archive-image.ts'
import { CATALOGUE_IMAGES, type CatalogueImage } from './catalogue-images.ts'
import { makeExecutableImage } from './executable-image.ts'
import type { Image } from './oci.ts'
import { pushImage } from './push-image.ts'
import { checkPushedFile } from './pushed-file.ts'
import { ensureRegistryProcess, stopRegistryProcesses } from './registry-process.ts'

export interface RegionRegistryOptions {
  /** The region's state folder; images, log and configuration lie in `registry/` under it. */
  readonly stateDir: string
  /** The address on the region's bridge by which machines reach it. */
  readonly listenHost: string
  readonly port: number
  readonly components: Components
  /** Told the process id of a registry that was started, e.g. to move it out of the server's service unit. */
  readonly onStarted?: (pid: number) => Promise<void>
  /** Called when none of its processes runs any more. */
  readonly onStopped?: () => Promise<void>
}

type Push = Parameters<ImageRegistry['push']>[0]
type PushTo = (name: string, tag: string, image: Image) => Promise<void>

/** In every answer, so that a registry of another state folder on the same port is not taken for ours. */
const OWNER_HEADER = 'X-Edgehold-Registry'
/** Counted up when the same components would become other images. */
const IMAGE_FORM = 1
const PUSH_MS = 5 * 60_000
const LIST_MS = 10_000
const PAGE = 500

/**
 * A region's registry: distribution's `registry` on the bridge, which serves and never writes. To write, a second one on the same storage is run
 * for as long as the push takes, on a socket in a folder that only we can enter: no machine and no other user can ever push.
 */
export class RegionRegistry implements ImageRegistry {
  readonly #options: RegionRegistryOptions
  readonly #folder: string
  readonly #storage: string
  readonly #owner: string
  #pushing: Promise<void> = Promise.resolve()

  constructor(options: RegionRegistryOptions) {
    this.#options = options
    this.#folder = join(options.stateDir, 'registry')
    this.#storage = join(this.#folder, 'images')
    this.#owner = createHash('sha256').update(this.#folder).digest('hex').slice(0, 16)
  }

  get #roomPrefix(): string {
    return `edgehold-registry-${this.#owner}-`
  }

  address(): string {
    return `${this.#options.listenHost}:${this.#options.port}`
  }

  /** Fills in what is installed; a component that is not there yet is left for a later call, except the registry itself (ComponentMissing). */
  async ensure(signal: AbortSignal): Promise<void> {
    await mkdir(this.#storage, { recursive: true, mode: 0o700 })
    await this.#ensureReader(signal)
    await this.#inTurn(() => this.#fill(signal))
  }

  async ensureGone(): Promise<void> {
    await stopRegistryProcesses(this.#folder)
    await this.#options.onStopped?.()
    // A process that was killed in the middle of a push left its writer's room behind.
    const rooms = (await readdir(tmpdir())).filter((name) => name.startsWith(this.#roomPrefix))
    await Promise.all(rooms.map((name) => rm(join(tmpdir(), name), { recursive: true, force: true })))
  }

  async list(): Promise<readonly { name: string; tags: readonly string[] }[]> {
    const signal = AbortSignal.timeout(LIST_MS)
    const names: string[] = []
    for (let last: string | undefined, isMore = true; isMore; last = names.at(-1)) {
      const page = await this.#get<{ repositories: string[] }>(`_catalog?n=${PAGE}${last === undefined ? '' : `&last=${encodeURIComponent(last)}`}`, signal)
      names.push(...page.repositories)
      isMore = page.repositories.length === PAGE
    }
    return Promise.all(names.map(async (name) => {
      const { tags } = await this.#get<{ tags: string[] | null }>(`${name}/tags/list`, signal)
      return { name, tags: (tags ?? []).toSorted() }
    }))
  }

  async push(image: Push): Promise<void> {
    const signal = AbortSignal.timeout(PUSH_MS)
    if ('archive' in image) await checkPushedFile(image.archive, 'archive')
    else await checkPushedFile(image.executable, 'program')
    await this.#inTurn(() => this.#withWriter(signal, async (pushTo) => {
      if ('archive' in image) {
        await this.#pushArchive(image, pushTo, signal)
        return
      }
      const fileName = basename(image.executable)
      const entrypoint = image.entrypoint ?? [`/${fileName}`]
      await pushTo(image.name, image.tag, await makeExecutableImage({ executables: [image.executable], fileName, entrypoint }))
    }))
  }

  async #ensureReader(signal: AbortSignal): Promise<void> {
    const { components, onStarted } = this.#options
    const { path } = await components.find('registry')
    await ensureRegistryProcess({
      executable: path,
      config: this.#config({ addr: this.address() }, { isReadOnly: true }),
      folder: this.#folder,
      role: 'reader',
      serves: (within) => this.#serves(within),
      ...(onStarted ? { onStarted } : {}),
    }, signal)
  }

  /** Pushes the catalogue's images that are not there, or were made of other files. */
  async #fill(signal: AbortSignal): Promise<void> {
    const record = join(this.#folder, 'filled.json')
    const filled = JSON.parse(await readFile(record, 'utf8').catch(() => '{}')) as Record<string, string> // nothing filled yet
    const wanted: { image: CatalogueImage; tag: string; files: readonly ComponentFile[]; key: string }[] = []
    for (const image of CATALOGUE_IMAGES) {
      const files = await this.#installed(image.component)
      const [first] = files
      if (!first) continue
      const tag = image.tag ?? first.version
      const key = JSON.stringify([IMAGE_FORM, image.entrypoint, image.command ?? [], files.map((file) => file.sha256)])
      if (filled[`${image.name}:${tag}`] !== key || !(await this.#hasTag(image.name, tag))) wanted.push({ image, tag, files, key })
    }
    if (wanted.length === 0) return
    await this.#withWriter(signal, async (pushTo) => {
      for (const { image, tag, files, key } of wanted) {
        const { entrypoint, command, component } = image
        const executables = files.map((file) => file.path)
        await pushTo(image.name, tag, await makeExecutableImage({ executables, fileName: component, entrypoint, ...(command ? { command } : {}) }))
        filled[`${image.name}:${tag}`] = key
        await writeFile(`${record}.new`, JSON.stringify(filled, undefined, 2))
        await rename(`${record}.new`, record)
      }
    })
  }

  /** A component's files for every architecture it is there for: images serve all kinds of machines that can join. */
  async #installed(component: ComponentName): Promise<readonly ComponentFile[]> {
    const files = await Promise.all(ARCHITECTURES.map(async (architecture) => {
      try {
        return await this.#options.components.find(component, { architecture })
      } catch (error) {
        if (error instanceof ComponentMissing) return undefined
        throw error
      }
    }))
    const [first] = files.filter((file) => file !== undefined)
    return files.filter((file) => file !== undefined && file.version === first?.version) as readonly ComponentFile[]
  }

  async #pushArchive(image: { name: string; tag: string; archive: string }, pushTo: PushTo, signal: AbortSignal): Promise<void> {
    // on the storage's disk, because /tmp is memory on some hosts and images are large
    const folder = await realpath(await mkdtemp(join(this.#folder, 'archive-')))
    try {
      await runChild('tar', ['-xf', image.archive, '-C', folder, '--no-same-owner'], { signal })
      await pushTo(image.name, image.tag, await readArchiveImage(folder))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** One writer on this host: whoever comes while another process writes (a server that fills, somebody who pushes) waits for it. */
  async #withWriter(signal: AbortSignal, work: (pushTo: PushTo) => Promise<void>): Promise<void> {
    const { path } = await this.#options.components.find('registry')
    const lock = await this.#takeWriterLock(signal)
    try {
      await this.#runWriter(path, signal, work)
    } finally {
      await lock.release()
    }
  }

  async #takeWriterLock(signal: AbortSignal): Promise<CacheLock> {
    let writing: number | undefined
    try {
      return await takeCacheLock(join(this.#folder, 'writer.lock'), signal, (pid) => (writing = pid))
    } catch (cause) {
      if (writing === undefined || !signal.aborted) throw cause
      throw new Error(`Process ${writing} has been writing to the registry all the time; wait until it has ended, or end it.`, { cause })
    }
  }

  async #runWriter(path: string, signal: AbortSignal, work: (pushTo: PushTo) => Promise<void>): Promise<void> {
    // A short path: the address of a socket may not be longer than 107 bytes.
    const room = await mkdtemp(join(tmpdir(), this.#roomPrefix))
    const socketPath = join(room, 'socket')
    const dispatcher = new Agent({ connect: { socketPath }, headersTimeout: PUSH_MS, bodyTimeout: PUSH_MS })
    try {
      await chmod(room, 0o700)
      await ensureRegistryProcess({
        executable: path,
        config: this.#config({ net: 'unix', addr: socketPath }, { isReadOnly: false }),
        folder: this.#folder,
        role: 'writer',
        serves: (within) => this.#isOurs(() => fetch('http://registry/v2/', { dispatcher, signal: within })),
      }, signal)
      await work((name, tag, image) => pushImage(dispatcher, name, tag, image, signal))
    } finally {
      await dispatcher.destroy()
      await stopRegistryProcesses(this.#folder, 'writer')
      await rm(room, { recursive: true, force: true })
    }
  }

  /** One writer at a time; a failed turn does not spoil the next. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#pushing.then(work)
    this.#pushing = turn.catch(() => undefined) // told to the caller of that turn
    return turn
  }

  async #serves(signal: AbortSignal): Promise<boolean> {
    return this.#isOurs(() => fetch(`http://${this.address()}/v2/`, { signal }))
  }

  async #hasTag(name: string, tag: string): Promise<boolean> {
    const link = join(this.#storage, 'docker', 'registry', 'v2', 'repositories', name, '_manifests', 'tags', tag, 'current', 'link')
    return access(link).then(() => true, () => false)
  }

  async #get<T>(path: string, signal: AbortSignal): Promise<T> {
    const response = await fetch(`http://${this.address()}/v2/${path}`, { signal })
    if (!response.ok) throw new Error(`The registry answered ${response.status} to ${path}: ${(await response.text()).slice(0, 300)}`)
    return (await response.json()) as T
  }

  #config(listen: { net?: 'unix'; addr: string }, { isReadOnly }: { isReadOnly: boolean }): object {
    return {
      version: '0.1',
      log: { level: 'warn', accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: this.#storage },
        delete: { enabled: false },
        // Purging would run in reader and writer alike.
        maintenance: { readonly: { enabled: isReadOnly }, uploadpurging: { enabled: false } },
      },
      http: { ...listen, secret: 'no upload is shared between registries', headers: { [OWNER_HEADER]: [this.#owner] } },
    }
  }

  /** Asks whether our registry serves; another program on the same address is not ours. */
  async #isOurs(ask: () => ReturnType<typeof fetch>): Promise<boolean> {
    try {
      const response = await ask()
      await response.body?.cancel()
      return response.status === 200 && response.headers.get(OWNER_HEADER) === this.#owner
    } catch {
      return false // nobody listens yet
    }
  }
}
