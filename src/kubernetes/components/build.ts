import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'

import { InstallFailed, type Architecture } from '#ports/components.ts'

import type { Group, Program } from './catalogue.ts'
import { ChildFailed, runChild } from './child.ts'
import { ensureToolchain } from './toolchain.ts'

export interface Build {
  readonly group: Group
  readonly programs: readonly Program[]
  readonly architecture: Architecture
  readonly componentsDir: string
  readonly cacheDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** A folder of this build alone, on the cache's file system. */
  readonly workDir: string
  /** Whether official releases, Go's own among them, may be downloaded. */
  readonly releases: boolean
  readonly download: (url: string, path: string, signal: AbortSignal) => Promise<string>
  readonly report: (text: string) => void
  readonly onStart: (pid: number) => Promise<void>
  readonly signal: AbortSignal
}

/**
 * Builds programs of one group by one run of `go build` and answers with their files in the work folder and the Go version. A build that was
 * cut off costs little to repeat: Go keeps each package that it has compiled.
 */
export async function buildPrograms(build: Build): Promise<{ files: ReadonlyMap<string, string>; goVersion: string }> {
  const { group, programs, workDir, signal } = build
  const toolchain = await ensureToolchain(build)
  const output = join(workDir, 'out')
  const temporary = join(workDir, 'tmp')
  await mkdir(output, { recursive: true })
  await mkdir(temporary, { recursive: true })
  const tags = group.tags ? ['-tags', group.tags] : []
  const args = ['build', '-trimpath', ...tags, '-ldflags', group.ldflags, '-o', `${output}/`, ...programs.map((program) => program.package)]
  try {
    const env = { ...toolchain.env, GOTMPDIR: temporary }
    await runChild('go', args, { cwd: join(build.componentsDir, group.folder), env, signal, nice: 10, onStart: build.onStart })
  } catch (error) {
    if (!(error instanceof ChildFailed)) throw error
    throw new InstallFailed(`Building ${group.title} ${group.version} for ${build.architecture} failed: ${error.lastLines}`, { cause: error })
  }
  const files = new Map<string, string>()
  for (const program of programs) {
    const file = join(workDir, program.name)
    await rename(join(output, outputName(program.package)), file)
    files.set(program.name, file)
  }
  return { files, goVersion: toolchain.goVersion }
}

/** The name that `go build` gives a package's program: its path's last part that is not a major version. */
export function outputName(packagePath: string): string {
  const parts = packagePath.split('/')
  const last = parts.pop() ?? ''
  return /^v[0-9]+$/.test(last) ? (parts.pop() ?? last) : last
}
