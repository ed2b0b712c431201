import { randomBytes } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { publicKeyPin } from '#join/bootstrap-line.ts'
import type { JoinOptions } from '#join/join-options.ts'
import { createJoinListener, type JoinListener } from '#join/listener.ts'
import { makeAuthority, makeKeyPair, signer } from '#kubernetes/pki/certificate.ts'
import { AUTHORITY_VALID_MS } from '#kubernetes/pki/cluster-pki.ts'
import type { Overlay } from '#ports/overlay.ts'
import type { Store } from '#ports/store.ts'
import { addressPool } from '#providers/local/host-network/settings.ts'
import type { JoinEndpoint } from './face.ts'
import { JOIN_PORT, type LocalParts } from './parts.ts'
import type { LocalRegionRun } from './run.ts'
import { lineOf, type ToldOfRegion } from './told-of-region.ts'
import { systemClock } from '../system-clock.ts'

/** Design 7: without a public name the line says that it works on this host only. A comment, so that it can be pasted as it is. */
const ON_THIS_HOST = "  # works on machines of this host's own network only; EDGEHOLD_ADVERTISE lets in others"

const RETRY_MS = 2_000
const PATIENCE_MS = 8_000
const FOREVER_MS = 2 ** 31 - 1

/**
 * The join endpoint of a region: on the bridge's own address, advertised there or at the address that the configuration names. Another process of this host
 * may have the port: then it serves machines, and this one takes over when it ends.
 */
export async function joinEndpoint({ region, face, opened, components, configuration, log, say }: Omit<LocalRegionRun, 'signal'>, parts: LocalParts, overlay?: Overlay): Promise<JoinEndpoint> {
  const { gateway } = addressPool(parts.network)
  const advertised = configuration.joinAdvertise ?? `${gateway}:${JOIN_PORT}`
  const url = `https://${advertised.includes(':') ? advertised : `${advertised}:${JOIN_PORT}`}`
  const tls = await joinKeys(opened.store, region.region, [gateway, new URL(url).hostname])
  const options: JoinOptions = {
    region: region.region, store: opened.store, tenantCluster: parts.tenant, components, clock: systemClock, log, url, tls,
    registry: parts.registry.address(),
    ...(overlay ? { overlay } : {}),
    realNow: () => performance.now(), randomBytes: count => randomBytes(count),
  }
  const pin = publicKeyPin(tls.key)
  const join = { url, pin, note: configuration.joinAdvertise === undefined ? ON_THIS_HOST : '' }
  await tellOtherServers(opened.store, region.region, { join, advertise: configuration.advertise ?? null })
  return { line: token => lineOf(join, token), serve }

  async function serve(signal: AbortSignal): Promise<void> {
    // Machines on other hosts reach the advertised address only if we listen there too; the bridge's address is this host's own.
    const { hostname } = new URL(url)
    const isPublic = hostname !== gateway
    const listeners = new Map<string, JoinListener>()
    let hasSaid = false
    while (!signal.aborted) {
      const why = await listenAt(listeners, [gateway, ...(isPublic ? publicAddresses(networkInterfaces(), parts.network.bridge, hostname) : [])])
      if (why === undefined) {
        face.setObstacle('join', undefined)
        if (!hasSaid) say(`Region ${region.region}: machines join at ${url}`)
        hasSaid = true
      } else {
        const sentence = `Machines cannot join now: ${why}`
        if (face.setObstacle('join', sentence)) {
          log.warn({ error: why }, 'Listening for machines did not succeed yet')
          say(`Region ${region.region}: ${sentence}`)
        }
      }
      await systemClock.sleep(why === undefined && !isPublic ? FOREVER_MS : RETRY_MS, signal).catch(() => undefined) // aborted: the loop ends
    }
    await Promise.all([...listeners.values()].map(listener => listener.close(AbortSignal.timeout(PATIENCE_MS))))
  }

  /** Listens at exactly these addresses; answers why not at all of them, undefined where it does. */
  async function listenAt(listeners: Map<string, JoinListener>, addresses: readonly string[]): Promise<string | undefined> {
    let why: string | undefined
    for (const [address, listener] of listeners) {
      if (addresses.includes(address)) continue
      listeners.delete(address)
      await listener.close(AbortSignal.timeout(PATIENCE_MS))
    }
    for (const address of addresses) {
      if (listeners.has(address)) continue
      const listener = createJoinListener(options)
      try {
        await listener.listen(address, JOIN_PORT)
        listeners.set(address, listener)
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code
        // Of an address other than the bridge's: it has gone since it was read.
        if (code === 'EADDRNOTAVAIL' && address !== gateway) continue
        why ??= code === 'EADDRINUSE' ? `${address}:${JOIN_PORT} is taken by another program; end it (ss -ltnp names it).` : error instanceof Error ? error.message : String(error)
      }
    }
    return why
  }
}

/**
 * The IPv4 addresses by which others reach this host at the advertised one: that itself, where the host has it; else, behind a router or by a name, any may be
 * meant, those of regions' bridges left out. Each region listens only there, and none must keep another from it by listening everywhere.
 */
export function publicAddresses(interfaces: ReturnType<typeof networkInterfaces>, ownBridge: string, advertised: string): readonly string[] {
  const own = Object.entries(interfaces).flatMap(([name, addresses]) => name === ownBridge || /^(eh[0-9a-f]{8}|e[0-9a-f]{13})$/.test(name) ? [] : (addresses ?? []).flatMap(({ family, internal, address }) => family === 'IPv4' && !internal ? [address] : []))
  return own.includes(advertised) ? [advertised] : own
}

/** Every server on this database can then show what clients and machines need to reach the region. */
async function tellOtherServers(store: Store, name: string, told: ToldOfRegion): Promise<void> {
  const region = (await store.listRegions()).find(each => each.region === name)
  if (!region || (Object.keys(told) as (keyof ToldOfRegion)[]).every(part => isDeepStrictEqual(region.settings[part], told[part]))) return
  await store.write(systemClock.now(), tx => tx.putRegion({ ...region, settings: { ...region.settings, ...told } }))
}

interface JoinKeys { readonly key: string; readonly certificate: string; readonly ca: string }
interface KeptKeys { readonly key: string; readonly ca: string; readonly caKey: string }

/** The key is made once a region and never changes: its pin stands in lines that people have copied. The certificate is signed anew for the hosts of today. */
async function joinKeys(store: Store, region: string, hosts: readonly string[]): Promise<JoinKeys> {
  const name = `region/${region}/join`
  const now = systemClock.now()
  const kept = await store.readSecret(name)
  const keys = kept === undefined ? await makeOnce() : (JSON.parse(kept) as KeptKeys)
  const sign = await signer({ cert: keys.ca, key: keys.caKey })
  const { cert } = await sign({
    commonName: `edgehold join ${region}`, use: 'server', key: keys.key, now, validMs: AUTHORITY_VALID_MS,
    ipAddresses: [...new Set(hosts.filter(host => isIPv4(host)))], dnsNames: hosts.filter(host => !isIPv4(host)),
  })
  return { key: keys.key, certificate: cert, ca: keys.ca }

  async function makeOnce(): Promise<KeptKeys> {
    const authority = await makeAuthority(`edgehold region ${region}`, now, AUTHORITY_VALID_MS)
    const made: KeptKeys = { key: (await makeKeyPair()).privateKey, ca: authority.cert, caKey: authority.key }
    return store.write(now, async tx => {
      await tx.lockName(name)
      const other = await store.readSecret(name)
      if (other !== undefined) return JSON.parse(other) as KeptKeys
      await tx.putSecret(name, JSON.stringify(made))
      return made
    })
  }
}
