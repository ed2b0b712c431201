import { ComponentCache } from '#kubernetes/components/component-cache.ts'
import { InstallFailed, type Architecture, type InstallProgress } from '#ports/components.ts'
import { join } from 'node:path'
import type { Configuration } from './configuration.ts'

/** The components as this configuration finds them. */
export function openComponents(configuration: Configuration): ComponentCache {
  return new ComponentCache({
    cacheDir: join(configuration.cacheDir, 'components'),
    ...(configuration.componentsDir === undefined ? {} : { folder: configuration.componentsDir }),
    releases: configuration.releases,
    repositoryDir: configuration.repository,
  })
}

export interface ComponentsFlags { arch?: Architecture; output: 'table' | 'json' }

/** `components install`: progress on standard error, one line a component. */
export async function installComponents(configuration: Configuration, flags: ComponentsFlags, left: AbortSignal): Promise<number> {
  const components = openComponents(configuration)
  const ended = new AbortController()
  process.once('SIGINT', () => ended.abort(new Error('interrupted')))
  process.once('SIGTERM', () => ended.abort(new Error('interrupted')))
  left.addEventListener('abort', () => ended.abort(left.reason))
  try {
    await components.install({ ...(flags.arch ? { architecture: flags.arch } : {}), onProgress: progress => process.stderr.write(`${progressLine(progress)}\n`), signal: ended.signal })
  } catch (error) {
    if (ended.signal.aborted) process.stderr.write('edgehold: interrupted; what was finished is kept, and the same command goes on from there.\n')
    else if (error instanceof InstallFailed) process.stderr.write(`edgehold: ${error.message}\n`)
    else throw error
    return 1
  }
  return listComponents(configuration, flags)
}

export function progressLine(progress: InstallProgress): string {
  return `[${String(progress.done).padStart(2)}/${progress.total}] ${progress.text}`
}

/** `components list`; ends with 1 if something is missing. */
export async function listComponents(configuration: Configuration, flags: ComponentsFlags): Promise<number> {
  const states = await openComponents(configuration).list(flags.arch)
  if (flags.output === 'json') {
    process.stdout.write(`${JSON.stringify(states, undefined, 2)}\n`)
  } else {
    for (const state of states) process.stdout.write(`${state.name.padEnd(26)} ${state.version.padEnd(10)} ${state.architecture.padEnd(6)} ${state.state.padEnd(10)} ${state.from ?? ''}\n`)
  }
  const missing = states.filter(state => state.state === 'missing').length
  if (missing > 0) process.stderr.write(`${missing} of ${states.length} are missing; ./edgehold components install brings them.\n`)
  return missing === 0 ? 0 : 1
}
