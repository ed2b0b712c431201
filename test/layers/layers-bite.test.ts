/** A linter that guards the architecture needs a test that it bites: violations are planted in a copy of the tree, and exactly those are expected. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'

const repository = join(import.meta.dirname, '../..')
let copy = ''

const PLANTED: readonly [what: string, file: string, text: string, rule: string][] = [
  ['a controller that imports a provider', 'src/controllers/cluster/planted-a.ts', "import * as planted from '#providers/local/planted.ts'\nexport const used = planted\n", 'boundaries'],
  ['a controller that imports another', 'src/controllers/cluster/planted-b.ts', "import * as planted from '#controllers/node/planted-target.ts'\nexport const used = planted\n", 'boundaries'],
  ['a type-only import out of the model', 'src/model/planted-c.ts', "import type { Log } from '#ports/log.ts'\nexport type Used = Log\n", 'boundaries'],
  ['a provider that imports another', 'src/providers/simulated/planted-d.ts', "import * as planted from '#providers/local/planted.ts'\nexport const used = planted\n", 'boundaries'],
  ['the command line reaching into the store', 'src/cli/planted-e.ts', "import * as planted from '#store/planted.ts'\nexport const used = planted\n", 'boundaries'],
  ['the join listener reaching into the API', 'src/join/planted-f.ts', "import * as planted from '#api/planted.ts'\nexport const used = planted\n", 'boundaries'],
  ['a stray folder', 'src/utils/planted-g.ts', 'export const used = 1\n', 'no-unknown-files'],
  ['a clock in a decision', 'src/controllers/cluster/decide-planted.ts', 'export const now = Date.now()\n', 'no-restricted-globals'],
  ['a timer in the API', 'src/api/planted-j.ts', 'export const used = setTimeout\n', 'no-restricted-globals'],
  ['a sleep of its own in the join listener', 'src/join/planted-k.ts', "import { setTimeout as sleep } from 'node:timers/promises'\nexport const used = sleep\n", 'no-restricted-imports'],
  ['a clock in a controller', 'src/controllers/cluster/planted-l.ts', 'export const used = () => Date.now()\n', 'no-restricted-properties'],
  ['input and output in the model', 'src/model/planted-h.ts', "import { readFileSync } from 'node:fs'\nexport const used = readFileSync\n", 'no-restricted-imports'],
  ['a default export', 'src/model/planted-i.ts', 'export default 1\n', 'no-default-export'],
]

const TARGETS = ['src/providers/local/planted.ts', 'src/controllers/node/planted-target.ts', 'src/store/planted.ts', 'src/api/planted.ts']

before(() => {
  copy = mkdtempSync(join(tmpdir(), 'edgehold-layers-'))
  for (const name of ['package.json', 'tsconfig.json', '.oxlintrc.json']) cpSync(join(repository, name), join(copy, name))
  cpSync(join(repository, 'src/ports'), join(copy, 'src/ports'), { recursive: true })
  cpSync(join(repository, 'src/model'), join(copy, 'src/model'), { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'))
  for (const file of TARGETS) plant(file, 'export const planted = 1\n')
})

after(() => rmSync(copy, { recursive: true, force: true }))

function plant(file: string, text: string): void {
  mkdirSync(dirname(join(copy, file)), { recursive: true })
  writeFileSync(join(copy, file), text)
}

function lint(): Promise<{ code: string; filename: string }[]> {
  return new Promise((resolve, reject) => {
    execFile(join(copy, 'node_modules/.bin/oxlint'), ['--format', 'json'], { cwd: copy, maxBuffer: 1 << 26 }, (_ended, stdout) => {
      try {
        resolve((JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] }).diagnostics)
      } catch (cause) {
        reject(new Error(`Reading what the linter said: ${stdout.slice(0, 300)}`, { cause }))
      }
    })
  })
}

test('planted violations of the architecture are caught, each by its own rule, and nothing else is', async () => {
  for (const [, file, text] of PLANTED) plant(file, text)
  const found = (await lint()).filter(({ filename }) => filename.includes('planted') )
  for (const [what, file, , rule] of PLANTED) {
    const here = found.filter(({ filename }) => filename === file)
    assert.ok(here.some(({ code }) => code.includes(rule)), `${what} (${file}) should be caught by ${rule}; caught: ${JSON.stringify(here)}`)
  }
  const clean = found.filter(({ filename }) => TARGETS.includes(filename))
  assert.deepEqual(clean, [], 'files without a violation are not accused')
})
