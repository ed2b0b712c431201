/** Machines of an installation's local region: ordered through its API, entered directly, so that no call of ours is part of what is measured. */
import { join } from 'node:path'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import type { EdgeholdClient } from '#client/client.ts'
import { readConfiguration } from '#main/configuration.ts'
import { rememberedNetwork } from '#main/local/remembered-network.ts'
import { systemClock } from '#main/system-clock.ts'
import type { ComponentFile } from '#ports/components.ts'
import { Boxes } from '#providers/local/boxes/boxes.ts'
import { boxNames } from '#providers/local/boxes/names.ts'
import { livingRun } from '#providers/local/boxes/state.ts'
import { addressPool, type HostNetworkSettings } from '#providers/local/host-network/settings.ts'
import { runProgram, until, type Installation } from '#test/harness/command.ts'
import { quiet } from './quiet.ts'

export interface MachineOf {
  readonly id: string
  readonly name: string
  /** Runs a command as the machine's root; answers when it ended, and throws with its output unless it ended well. */
  run(command: readonly string[], deadlineMs?: number): Promise<string>
  /** Puts a file of the host onto the machine's disk. */
  put(from: string, to: string): Promise<void>
  write(text: string, to: string): Promise<void>
  /** All that was put is on disk. */
  settle(): Promise<void>
}

export function networkOf(place: Installation): HostNetworkSettings {
  const network = rememberedNetwork(readConfiguration({ state: place.state }, {}).stateDir)
  if (!network) throw new Error('The installation has no local region')
  return network
}

export async function addMachine(place: Installation, client: EdgeholdClient, name: string): Promise<MachineOf> {
  const { stateDir, hash } = readConfiguration({ state: place.state }, {})
  const network = networkOf(place)
  const { gateway, prefix } = addressPool(network)
  const boxes = new Boxes({ stateDir, hash, bridge: network.bridge, gateway, prefixLength: prefix, clock: systemClock, log: quiet })
  const { Id: id } = await client.call('AddMachine', { Name: name })
  const run = await until(`machine ${name} to be on`, async () => livingRun(boxNames(stateDir, hash, id)), 60_000, 50)
  const root = `/proc/${run.pid}/root`
  await until(`machine ${name} to have booted`, async () => (await boxes.exec(id, ['hostname'], { signal: AbortSignal.timeout(5_000) })).output.trim() === name, 60_000, 50)
  return {
    id, name,
    async run(command, deadlineMs = 300_000) {
      const { exitCode, output } = await boxes.exec(id, command, { signal: AbortSignal.timeout(deadlineMs) })
      if (exitCode !== 0) throw new Error(`On ${name}, ${command.join(' ').slice(0, 200)} ended with ${exitCode}:\n${output}`)
      return output
    },
    async put(from, to) {
      await mkdir(join(root, to, '..'), { recursive: true })
      await cp(from, join(root, to))
    },
    async write(text, to) {
      await mkdir(join(root, to, '..'), { recursive: true })
      await writeFile(join(root, to), text)
    },
    async settle() {
      await runProgram('sync', ['-f', join(root, '.disk')])
    },
  }
}

export async function removeMachine(client: EdgeholdClient, machine: MachineOf): Promise<void> {
  await client.call('RemoveMachine', { Id: machine.id })
  await until(`machine ${machine.name} to be gone`, async () => (await client.all('ListMachines')).every(other => other.Id !== machine.id), 120_000)
}

/** Puts a node's programs where the onboarding script looks for them before it fetches any, with the checksums by which it knows them. */
export async function putCached(machine: MachineOf, files: readonly ComponentFile[]): Promise<void> {
  for (const file of files) {
    await machine.put(file.path, `/opt/edgehold/${isNetworkPlugin(file.name) ? 'cni' : 'bin'}/${file.name}`)
    await machine.write(file.sha256, `/opt/edgehold/sums/${file.name}`)
  }
  await machine.settle()
}

export function isNetworkPlugin(name: string): boolean {
  return ['loopback', 'ptp', 'host-local', 'portmap'].includes(name)
}
