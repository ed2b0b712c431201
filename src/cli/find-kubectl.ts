import { accessSync, constants, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { CommandFailed } from './errors.ts'

/** The kubectl to run: the one named, else the one of PATH, else the newest of the components' cache. Throws CommandFailed. */
export function findKubectl(named: string | undefined): string {
  const found = [named, ...named === undefined ? [...onPath(), ...inCache()] : []].find(path => path !== undefined && isExecutable(path))
  if (found === undefined) {
    throw new CommandFailed(named === undefined
      ? 'No kubectl is on PATH or among the components. Bring the components with "edgehold components install", or name one with --kubectl FILE.'
      : `${named} is not a program that can be run.`)
  }
  return found
}

function onPath(): readonly string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter(folder => folder !== '').map(folder => join(folder, 'kubectl'))
}

/** `<cache>/components/<architecture>/kubectl/<version>/<key>/kubectl`. */
function inCache(): readonly string[] {
  const cache = process.env['EDGEHOLD_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'edgehold')
  const folder = join(cache, 'components', process.arch === 'x64' ? 'amd64' : process.arch, 'kubectl')
  const newestFirst = names(folder).toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  return newestFirst.flatMap(version => names(join(folder, version)).map(key => join(folder, version, key, 'kubectl')))
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    // No such folder: nothing was installed there.
    return []
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // Not there, or not for this user.
    return false
  }
}
