import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HostNetworkSettings } from '#providers/local/host-network/settings.ts'

/** The region's network beside the database, so that `down --all` can take it away when the database no longer answers. */
function file(stateDir: string): string {
  return join(stateDir, 'network.json')
}

export function rememberNetwork(stateDir: string, network: HostNetworkSettings): void {
  writeFileSync(file(stateDir), `${JSON.stringify(network)}\n`)
}

export function rememberedNetwork(stateDir: string): HostNetworkSettings | undefined {
  return existsSync(file(stateDir)) ? (JSON.parse(readFileSync(file(stateDir), 'utf8')) as HostNetworkSettings) : undefined
}
