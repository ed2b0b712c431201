/** A promise of a port that only one implementation is held to says little: whatever has two of them has a suite, and each suite is run, or printed as left out with a reason, for two. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'

const repository = join(import.meta.dirname, '../..')
const textsOf = (pattern: string) => new Map(globSync(pattern, { cwd: repository }).map(file => [file, readFileSync(join(repository, file), 'utf8')]))
const suites = globSync('src/ports/*.contract.ts', { cwd: repository }).toSorted()

test('each suite of a port is run for two implementations', () => {
  assert.ok(suites.length >= 9, `found ${suites.join(', ')}`)
  const tests = [...textsOf('{src,test}/**/*.test.ts')]
  for (const suite of suites) {
    const runners = tests.filter(([, text]) => new RegExp(`from '[^']*/${basename(suite).replaceAll('.', '\\.')}'`).test(text)).map(([file]) => file)
    assert.ok(runners.length >= 2, `${suite} is run by ${runners.join(', ') || 'nobody'} alone`)
  }
})

test('each port that two classes implement has a suite', () => {
  const classes = [...textsOf('{src/providers,src/kubernetes,src/join,src/store,test/harness}/**/!(*.test).ts').values()].flatMap(text => [...text.matchAll(/\bclass \w+[^{]*? implements ([^{]+)\{/g)].map(([, named = '']) => named))
  const shared = [...textsOf('src/ports/!(*.contract).ts')].flatMap(([file, text]) => [...text.matchAll(/^export interface (\w+)/gm)].filter(([, port = '']) => classes.filter(named => new RegExp(`\\b${port}\\b(?!')`).test(named)).length >= 2).map(([, port]) => ({ file, port })))
  assert.ok(shared.length >= 6, `found ${shared.map(({ port }) => port).join(', ')}`)
  for (const { file, port } of shared) assert.ok(suites.includes(file.replace(/\.ts$/, '.contract.ts')), `${port} of ${file} has no suite`)
})
