import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { GROUPS } from './catalogue.ts'
import { outputName } from './build.ts'

const componentsDir = join(import.meta.dirname, '..', '..', '..', 'components')

for (const group of GROUPS) {
  const { folder, version } = group
  test(`${folder}: the catalogue and go.mod name the same programs and version`, async () => {
    const mod = await readFile(join(componentsDir, folder, 'go.mod'), 'utf8')
    const block = /^tool \(([^)]*)\)/m.exec(mod)?.[1]
    const tools: readonly string[] = (block ?? /^tool (\S+)$/m.exec(mod)?.[1] ?? '').trim().split(/\s+/)
    assert.deepEqual(group.programs.map((program) => program.package).toSorted(), tools.toSorted())
    for (const program of group.programs) {
      const required = [...mod.matchAll(/^\s*(?:require )?(\S+) (v\S+)/gm)].filter(([, path = '']) => `${program.package}/`.startsWith(`${path}/`))
      assert.deepEqual(required.map(([, , pinned]) => pinned), [version], `${program.package} in ${folder}/go.mod`)
    }
  })

  test(`${folder}: programs do not overwrite each other while they are built`, () => {
    const outputs = group.programs.map((program) => outputName(program.package))
    assert.equal(new Set(outputs).size, outputs.length)
    for (const program of group.programs) assert.ok(!outputs.includes(program.name) || outputName(program.package) === program.name)
  })
}

test('every program is named once for each Kubernetes version, once otherwise', () => {
  const names = GROUPS.flatMap((group) => group.programs.map((program) => `${program.name} ${group.perKubernetesVersion ? group.version : ''}`))
  assert.equal(new Set(names).size, names.length)
})

test('a first cluster needs nothing of the second minor, which comes last', () => {
  const folders = GROUPS.map((group) => group.folder)
  assert.deepEqual(folders.slice(0, 3), ['etcd', 'kubernetes-1.34', 'runtime'])
  assert.equal(folders.at(-1), 'kubernetes-1.35')
})

test('every release is verified: its sums come from the same place', () => {
  for (const group of GROUPS) {
    for (const { name, release } of group.programs) {
      if (release) assert.equal(new URL(release.sums).origin, new URL(release.url).origin, name)
    }
  }
})

test('machines get all that a node runs', () => {
  const names = new Set(GROUPS.flatMap((group) => group.programs.filter((program) => program.onMachines).map((program) => program.name)))
  for (const needed of ['kubelet', 'kube-proxy', 'containerd', 'containerd-shim-runc-v2', 'ctr', 'runc', 'crictl', 'flanneld', 'bridge', 'host-local', 'loopback', 'portmap', 'nebula', 'nebula-cert']) {
    assert.ok(names.has(needed), needed)
  }
})
