import { access, constants, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

import { InstallFailed, type Architecture } from '#ports/components.ts'

import type { Group } from './catalogue.ts'
import { ChildFailed, runChild } from './child.ts'
import { ensureGo } from './go-toolchain.ts'

/** The GNU names of what the C compiler makes code for. */
const GNU_TRIPLET: Record<Architecture, string> = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }
/** Debian names its cross compilers with a dash where the triplet has an underscore. */
const CROSS_COMPILER: Record<Architecture, string> = { amd64: 'gcc-x86-64-linux-gnu', arm64: 'gcc-aarch64-linux-gnu' }

/** What a build needs of the host, found or installed. */
export interface Toolchain {
  /** `go1.26.8` */
  readonly goVersion: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The architecture of this host in Go's words; undefined where there are no components for it. */
export function hostArchitecture(): Architecture | undefined {
  return ({ x64: 'amd64', arm64: 'arm64' } as const)[process.arch as 'x64' | 'arm64']
}

export interface ToolchainSearch {
  readonly group: Group
  readonly architecture: Architecture
  readonly componentsDir: string
  readonly cacheDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether Go's official home may be asked. */
  readonly releases: boolean
  readonly download: (url: string, path: string, signal: AbortSignal) => Promise<string>
  readonly report: (text: string) => void
  readonly signal: AbortSignal
}

/**
 * Finds Go and, for groups that need one, a C compiler and libraries. Go is brought where it is missing or too old; the
 * others are installed by apt-get where that is there and we are root. Each has a line of progress; else InstallFailed says in a sentence what to install.
 */
export async function ensureToolchain(search: ToolchainSearch): Promise<Toolchain> {
  const { group, architecture, cacheDir, report, signal } = search
  const env: Record<string, string | undefined> = {
    ...search.env,
    PATH: [search.env['PATH'] ?? '/usr/bin:/bin', '/usr/local/go/bin'].join(delimiter),
    GOFLAGS: '-mod=readonly -buildvcs=false',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
  }
  if (!env['HOME']) {
    // started by an init system: Go then knows no place for its caches
    env['GOCACHE'] ??= join(cacheDir, 'go-build')
    env['GOPATH'] ??= join(cacheDir, 'go-path')
  }
  const mod = await readFile(join(search.componentsDir, group.folder, 'go.mod'), 'utf8')
  const needed = /^go (\S+)$/m.exec(mod)?.[1] ?? '1.21'
  const host = hostArchitecture() ?? architecture
  const go = await ensureGo({ env, needed, host, cacheDir, releases: search.releases, download: search.download, report, signal })
  if (go.folder !== undefined) Object.assign(env, { PATH: [go.folder, env['PATH']].join(delimiter), GOROOT: undefined })
  Object.assign(env, { GOOS: 'linux', GOARCH: architecture, CGO_ENABLED: group.cgo ? '1' : '0' })
  if (group.cgo) await ensureCompiler(group, architecture, env, (packages, what) => installPackages(packages, what, report, signal))
  return { goVersion: go.version, env }
}

async function ensureCompiler(
  group: Group, architecture: Architecture, env: Record<string, string | undefined>,
  install: (packages: readonly string[], what: string) => Promise<void>,
): Promise<void> {
  const cross = architecture !== hostArchitecture()
  const triplet = GNU_TRIPLET[architecture]
  const compiler = cross ? `${triplet}-gcc` : 'gcc'
  if (!(await onPath(compiler, env))) {
    await install(cross ? [CROSS_COMPILER[architecture], `libc6-dev-${architecture}-cross`] : ['gcc', 'libc6-dev'], `a C compiler for ${group.title}`)
  }
  env['CC'] = compiler
  if (!group.library) return
  if (!(await onPath('pkg-config', env))) await install(['pkg-config'], `pkg-config for ${group.title}`)
  // Debian keeps each architecture's libraries apart, so both can be installed side by side.
  const folder = `/usr/lib/${triplet}/pkgconfig`
  if (cross) env['PKG_CONFIG_LIBDIR'] = folder
  const there = await exists(join(folder, `${group.library}.pc`)) || await exists(`/usr/lib/pkgconfig/${group.library}.pc`)
  if (!there) await install([cross ? `${group.library}-dev:${architecture}` : `${group.library}-dev`], `${group.library} for ${group.title}`)
}

async function installPackages(packages: readonly string[], what: string, report: (text: string) => void, signal: AbortSignal): Promise<void> {
  const command = `apt-get install ${packages.join(' ')}`
  const root = process.getuid?.() === 0
  if (!root || !(await onPath('apt-get', process.env))) {
    throw new InstallFailed(`${capital(what)} is missing on this host; install it (on Debian and Ubuntu as root: ${command}) and run the installation again.`)
  }
  report(`Installing ${packages.join(', ')} by apt-get (${what})`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]) => runChild('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], { env, signal })
  try {
    for (const one of packages) {
      const foreign = one.split(':')[1]
      if (foreign) await runChild('dpkg', ['--add-architecture', foreign], { env, signal })
    }
    await apt('update')
    await apt('install', '-y', '--no-install-recommends', ...packages)
  } catch (error) {
    if (!(error instanceof ChildFailed)) throw error
    throw new InstallFailed(`${capital(what)} is missing on this host, and \`${command}\` failed: ${error.lastLines}`, { cause: error })
  }
}

async function onPath(program: string, env: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await exists(join(folder, program)))) return true
  }
  return false
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK)
    return true
  } catch {
    return false // whatever the reason, it cannot be used
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
