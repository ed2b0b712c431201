import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OverlayKeyRefused } from '#ports/overlay.ts'
import { runTool } from '../host-network/tool.ts'
import { REGION_GROUP } from './program-settings.ts'

/** What a region keeps of its overlay, sealed in the database. */
export interface OverlayKeys {
  readonly authority: string
  readonly authorityKey: string
  readonly certificate: string
  readonly key: string
  /** For which ranges the certificate holds. */
  readonly networks: string
  readonly unsafeNetworks: string
}

export interface Issued {
  readonly fingerprint: string
  /** Epoch ms. */
  readonly until: number
}

/** Signs with nebula's own program. Keys lie in files only while it runs, in a folder of root's in memory. */
export class OverlayCertificates {
  readonly #program: () => Promise<string>
  readonly #folder: string

  /** `folder`: in memory. */
  constructor(program: () => Promise<string>, folder: string) {
    this.#program = program
    this.#folder = folder
  }

  /** An authority with the certificate of the region's own end; `kept` is used as far as it fits. */
  async ensureKeys(kept: OverlayKeys | undefined, wanted: Pick<OverlayKeys, 'networks' | 'unsafeNetworks'>, validMs: number): Promise<OverlayKeys> {
    if (kept?.networks === wanted.networks && kept.unsafeNetworks === wanted.unsafeNetworks) return kept
    return this.#within(async (path, run) => {
      if (kept) await write(path, { 'ca.crt': kept.authority, 'ca.key': kept.authorityKey })
      else await run('ca', '-name', 'edgehold', '-duration', `${Math.floor(validMs / 1000)}s`, '-out-crt', path('ca.crt'), '-out-key', path('ca.key'))
      await run('sign', '-name', REGION_GROUP, '-groups', REGION_GROUP, '-networks', wanted.networks, '-unsafe-networks', wanted.unsafeNetworks,
        '-ca-crt', path('ca.crt'), '-ca-key', path('ca.key'), '-out-crt', path('own.crt'), '-out-key', path('own.key'))
      const read = (name: string): Promise<string> => readFile(path(name), 'utf8')
      return { ...wanted, authority: await read('ca.crt'), authorityKey: await read('ca.key'), certificate: await read('own.crt'), key: await read('own.key') }
    })
  }

  /** A machine's certificate for its own key. Throws OverlayKeyRefused. */
  async sign(keys: OverlayKeys, order: { name: string; group: string; networks: string; unsafeNetworks: readonly string[]; publicKey: string; validMs: number }): Promise<Issued & { certificate: string }> {
    const [, key = ''] = /^-----BEGIN NEBULA X25519 PUBLIC KEY-----\n([A-Za-z0-9+/]{43}=)\n-----END NEBULA X25519 PUBLIC KEY-----\n?$/.exec(order.publicKey) ?? []
    if (Buffer.from(key, 'base64').length !== 32) throw new OverlayKeyRefused('That is no public key of the overlay.')
    return this.#within(async (path, run) => {
      await write(path, { 'ca.crt': keys.authority, 'ca.key': keys.authorityKey, pub: order.publicKey })
      const unsafe = order.unsafeNetworks.length === 0 ? [] : ['-unsafe-networks', order.unsafeNetworks.join(',')]
      await run('sign', '-name', order.name, '-groups', order.group, '-networks', order.networks, ...unsafe, '-duration', `${Math.floor(order.validMs / 1000)}s`,
        '-in-pub', path('pub'), '-ca-crt', path('ca.crt'), '-ca-key', path('ca.key'), '-out-crt', path('out.crt'))
      const [printed] = JSON.parse(await run('print', '-json', '-path', path('out.crt'))) as { fingerprint: string; details: { notAfter: string } }[]
      if (!printed) throw new Error('nebula-cert printed nothing of the certificate that it made')
      return { certificate: await readFile(path('out.crt'), 'utf8'), fingerprint: printed.fingerprint, until: Date.parse(printed.details.notAfter) }
    })
  }

  async #within<T>(work: (path: (name: string) => string, run: (...words: string[]) => Promise<string>) => Promise<T>): Promise<T> {
    const program = await this.#program()
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const folder = await mkdtemp(join(this.#folder, 'sign-'))
    try {
      return await work(name => join(folder, name), (...words) => runTool(program, words))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function write(path: (name: string) => string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(path(name), text, { mode: 0o600 })
}
