import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ComponentMissing, type Architecture, type ComponentFile, type Components } from '#ports/components.ts'
import { fileWords, machineFile, machineFiles } from './machine-files.ts'
import { JoinRefused } from './refused.ts'

/** Components that are there for these architectures; each has a sum of its own. */
function componentsFor(...there: readonly Architecture[]): Components {
  const find = async (name: string, { kubernetesVersion, architecture = 'amd64' }: { kubernetesVersion?: string; architecture?: Architecture } = {}): Promise<ComponentFile> => {
    if (!there.includes(architecture)) throw new ComponentMissing(`${name} for ${architecture} is not installed.`)
    return { name, version: kubernetesVersion ?? 'v9', architecture, path: `/cache/${architecture}/${name}`, sha256: `sum of ${architecture} ${name}`, sizeBytes: 7 }
  }
  return { find, kubernetesVersions: () => ['v1.34.4', 'v1.35.4'] } as unknown as Components
}

test('a machine is given the programs of its own architecture, for either Kubernetes version', async () => {
  for (const version of ['v1.34.4', 'v1.35.4']) {
    for (const architecture of ['amd64', 'arm64'] as const) {
      const files = await machineFiles(componentsFor('amd64', 'arm64'), version, architecture)
      assert.ok(files.length >= 10 && files.every((file) => file.architecture === architecture), `${version} ${architecture}`)
      assert.match(fileWords(files), new RegExp(`kubelet:${version.replaceAll('.', '\\.')}:sum of ${architecture} kubelet:7`))
      assert.equal((await machineFile(componentsFor('amd64', 'arm64'), 'kubelet', version, architecture)).path, `/cache/${architecture}/kubelet`)
    }
  }
})

test('where the programs of its architecture are not there, the command that makes them is named, and no other ones are given', async () => {
  const refused = (error: unknown) => error instanceof JoinRefused && error.message.startsWith('The programs for arm64 machines are not there yet; on the server, `edgehold components install --arch arm64` makes them.')
  await assert.rejects(machineFiles(componentsFor('amd64'), 'v1.35.4', 'arm64'), refused)
  await assert.rejects(machineFile(componentsFor('amd64'), 'kubelet', 'v1.35.4', 'arm64'), ComponentMissing)
  await assert.rejects(machineFile(componentsFor('amd64'), 'kubelet', 'v1.35.4', 'riscv64'), /architecture is riscv64/)
})
