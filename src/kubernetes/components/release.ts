import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { EnvHttpProxyAgent, fetch } from 'undici'

import type { Architecture } from '#ports/components.ts'

import type { Group, Program, Release } from './catalogue.ts'
import { runChild } from './child.ts'

/** Why a program was not had from its official release; the message is a sentence. */
export class ReleaseUnavailable extends Error {
  readonly kind = 'ReleaseUnavailable'
}

/** Long enough for a far server, short enough that a closed network costs seconds. */
const CONNECT_MS = 3_000
const SILENCE_MS = 20_000

/** Fetches official releases, remembering for its lifetime which hosts cannot be reached. */
export class ReleaseSource implements AsyncDisposable {
  readonly #unreachable = new Map<string, string>()
  /** Sums of what lies in work folders: several programs may come in one archive. */
  readonly #saved = new Map<string, string>()
  readonly #agent = new EnvHttpProxyAgent({ connect: { timeout: CONNECT_MS }, headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS })

  /** Downloads a program into the work folder and answers with its file; throws ReleaseUnavailable, also when its checksum is not the published one. */
  async fetchProgram(
    group: Group, program: Program & { release: Release }, architecture: Architecture, workDir: string, signal: AbortSignal,
  ): Promise<{ file: string; url: string }> {
    const fill = (template: string) => fillTemplate(template, group, program, architecture)
    const url = fill(program.release.url)
    const expected = findSum(await this.#text(fill(program.release.sums), signal), basename(url))
    if (!expected) throw new ReleaseUnavailable(`${fill(program.release.sums)} has no checksum for ${basename(url)}.`)
    const download = join(workDir, `${basename(url)}.download`)
    const actual = this.#saved.get(download) ?? (await this.download(url, download, signal))
    this.#saved.set(download, actual)
    if (actual !== expected) {
      throw new ReleaseUnavailable(`${url} has the checksum ${actual}, and ${expected} is the published one: it is not used.`)
    }
    const file = join(workDir, program.name)
    if (program.release.member) await unpackMember(download, fill(program.release.member), file, workDir, signal)
    else await rename(download, file)
    return { file, url }
  }

  /** Saves what an address gives and answers with its SHA-256; throws ReleaseUnavailable. */
  async download(url: string, path: string, signal: AbortSignal): Promise<string> {
    const body = await this.#open(url, signal)
    const hash = createHash('sha256')
    const hashing = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk)
        done(undefined, chunk)
      },
    })
    await cutOff(url, signal, () => pipeline(body, hashing, createWriteStream(path), { signal }))
    return hash.digest('hex')
  }

  /** Says whether a release's host is worth asking: it is, until it could not be reached once. */
  isReachable(release: Release): boolean {
    return !this.#unreachable.has(new URL(release.url).origin)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }

  async #open(url: string, signal: AbortSignal) {
    const { origin } = new URL(url)
    const before = this.#unreachable.get(origin)
    if (before) throw new ReleaseUnavailable(before)
    let response
    try {
      response = await fetch(url, { dispatcher: this.#agent, signal })
    } catch (cause) {
      signal.throwIfAborted()
      const why = `${origin} cannot be reached (${innermost(cause)}).`
      this.#unreachable.set(origin, why)
      throw new ReleaseUnavailable(why, { cause })
    }
    if (response.ok && response.body) return response.body
    await response.body?.cancel()
    throw new ReleaseUnavailable(`${url} answered ${response.status}.`)
  }

  async #text(url: string, signal: AbortSignal): Promise<string> {
    const body = await this.#open(url, signal)
    return cutOff(url, signal, async () => {
      let text = ''
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) text += chunk
      return text
    })
  }
}

/** Fills a template of the catalogue for one program and architecture. */
export function fillTemplate(template: string, group: Group, program: Program, architecture: Architecture): string {
  const values: Record<string, string> = {
    version: group.version,
    number: group.version.replace(/^v/, ''),
    arch: program.release?.architectures?.[architecture] ?? architecture,
    name: program.name,
  }
  return template.replaceAll(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole)
}

/** Finds a file's sum in a bare `SUM` or in lines of `SUM  FILE` (`*FILE` and folders before the name are fine). */
export function findSum(text: string, fileName: string): string | undefined {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/)).filter(([sum]) => /^[0-9a-f]{64}$/i.test(sum ?? ''))
  const named = lines.find(([, file]) => file !== undefined && basename(file.replace(/^\*/, '')) === fileName)
  const bare = lines.length === 1 && lines[0]?.length === 1 ? lines[0] : undefined
  return (named ?? bare)?.[0]?.toLowerCase()
}

async function unpackMember(archive: string, member: string, file: string, workDir: string, signal: AbortSignal): Promise<void> {
  const folder = join(workDir, 'unpacked')
  await mkdir(folder, { recursive: true })
  await runChild('tar', ['-xzf', archive, '-C', folder, '--no-same-owner', member], { signal })
  await rename(join(folder, member), file)
}

/** A download that breaks off is one more reason to build. */
async function cutOff<T>(url: string, signal: AbortSignal, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    signal.throwIfAborted()
    if (isDiskError(cause)) throw cause
    throw new ReleaseUnavailable(`${url} broke off (${innermost(cause)}).`, { cause })
  }
}

function isDiskError(error: unknown): boolean {
  return error instanceof Error && ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function innermost(error: unknown): string {
  return error instanceof Error ? (error.cause ? innermost(error.cause) : error.message) : String(error)
}
