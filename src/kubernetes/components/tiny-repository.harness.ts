// A repository with two groups of Go programs that build in a second, and a `go` in front of the real one that notes its calls. For tests.
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

import type { Group, Release } from './catalogue.ts'

export interface TinyRepository extends AsyncDisposable {
  readonly dir: string
  readonly cacheDir: string
  readonly groups: readonly [first: Group, second: Group]
  /** Environment with a `go` that notes each build and, while the file `<dir>/hold` is there, waits for ever after noting it. */
  readonly env: Record<string, string | undefined>
  /** What each `go build` so far was asked to build. */
  builds(): Promise<readonly string[]>
}

/** Makes the repository; `release` is given to every program of the first group. */
export async function makeTinyRepository(release?: Release): Promise<TinyRepository> {
  const dir = await mkdtemp(join(tmpdir(), 'edgehold-components-'))
  for (const [folder, programs] of [['first', ['alpha', 'beta']], ['second', ['gamma']]] as const) {
    const module = join(dir, 'components', folder)
    for (const program of programs) {
      await mkdir(join(module, program), { recursive: true })
      await writeFile(join(module, program, 'main.go'), `package main\n\nvar who = "nobody"\n\nfunc main() { println("${program}", who) }\n`)
    }
    await writeFile(join(module, 'go.mod'), `module example.test/${folder}\n\ngo 1.21\n`)
    await writeFile(join(module, 'go.sum'), '')
  }
  const bin = join(dir, 'bin')
  await mkdir(bin)
  const log = join(dir, 'builds.log')
  const hold = join(dir, 'hold')
  const script = [
    '#!/bin/sh',
    `if [ "$1" = build ]; then echo "$*" >>'${log}'; while [ -e '${hold}' ]; do sleep 0.1; done; fi`,
    `PATH=$(printf %s "$PATH" | sed 's|^${bin}:||')`, // the real one is further on
    'exec go "$@"',
  ]
  await writeFile(join(bin, 'go'), `${script.join('\n')}\n`)
  await chmod(join(bin, 'go'), 0o755)
  const program = (folder: string, name: string) => ({ name, package: `example.test/${folder}/${name}`, ...(release && folder === 'first' ? { release } : {}) })
  const ldflags = (who: string) => `-s -w -X main.who=${who}`
  return {
    dir,
    cacheDir: join(dir, 'cache'),
    groups: [
      { folder: 'first', title: 'First', version: 'v1.0.0', minutes: 1, ldflags: ldflags('one'), programs: [program('first', 'alpha'), program('first', 'beta')] },
      { folder: 'second', title: 'Second', version: 'v1.34.0', perKubernetesVersion: true, minutes: 1, ldflags: ldflags('two'), programs: [program('second', 'gamma')] },
    ],
    env: { ...process.env, PATH: [bin, process.env['PATH']].join(delimiter) },
    async builds() {
      const text = await readFile(log, 'utf8').catch(() => '') // no build yet
      return text.split('\n').filter((line) => line !== '').map((line) => line.replace(/^.* -o \S+ /, ''))
    },
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
