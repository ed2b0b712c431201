import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HostNetworkSettings } from '#providers/local/host-network/settings.ts'

/** The region's network beside the database, so that `down --all` can take it away when the database no longer answers. */
function file(stateDir: string): string {
  return join(stateDir, 'network.json')
}

export function rememberNetwork(stateDir: string, network: HostNetworkSettings): void {
  const text = `${JSON.stringify(network)}\n`
  if (existsSync(file(stateDir)) && readFileSync(file(stateDir), 'utf8') === text) return
  // As a whole or not at all: on a full disk the one that was there must stay, or nobody could take the network away.
  const draft = `${file(stateDir)}.new`
  writeFileSync(draft, text)
  renameSync(draft, file(stateDir))
}

export function rememberedNetwork(stateDir: string): HostNetworkSettings | undefined {
  return existsSync(file(stateDir)) ? (JSON.parse(readFileSync(file(stateDir), 'utf8')) as HostNetworkSettings) : undefined
}
