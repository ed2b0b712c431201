import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { isIPv4 } from 'node:net'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { isOn } from '#model/switch.ts'
import { RANGE_PREFIX } from '#providers/local/host-network/settings.ts'

/** Everything that can be set. Every flag has an environment variable (`--state` ↔ EDGEHOLD_STATE); flags win over variables, variables over the file. */
export interface Configuration {
  /** The file that was read, as an absolute path. */
  readonly file: string | undefined
  readonly stateDir: string
  /** Eight hex digits of the state folder's path: all names that we give on the host carry it, so that two state folders never touch each other. */
  readonly hash: string
  /** For sockets and private memory files: `/run/edgehold/<hash>` as root, else under the state folder. */
  readonly runDir: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly databaseUrl: string | undefined
  /** A folder with component programs that comes before the cache. */
  readonly componentsDir: string | undefined
  readonly cacheDir: string
  /** Whether official releases are tried before building. */
  readonly releases: boolean
  /** An IPv4 address or DNS name of this host by which clients outside reach API servers; undefined: nothing leads in from outside. */
  readonly advertise: string | undefined
  /** The host port of the first address of the region's range; a cluster's own is this plus its address's place in the range. */
  readonly advertisePortBase: number
  /** The address at which machines reach the join endpoint; what is advertised by default, else the bridge's own. */
  readonly joinAdvertise: string | undefined
  /** UDP port of this host by which machines outside enter the region's network; used where something is advertised. */
  readonly overlayPort: number
  /** The block of which the overlay of machines outside takes its range, e.g. `10.214.0.0/16`. */
  readonly overlayRange: string | undefined
  /** Whether machines and pods of the local region may reach the world outside of it, by address translation. */
  readonly open: boolean
  /** Blocks of which the local region takes its range, e.g. `10.213.0.0/16`. */
  readonly bridgeRange: string | undefined
  /** Names that stand for the default region, as shell patterns: `cn-*`. */
  readonly regionAliases: readonly string[]
  readonly readsPerSecond: number
  readonly writesPerSecond: number
  /** From the end of an account's balance to the end of work for it, ms. */
  readonly graceMs: number
  /** Listening on anything but loopback without TLS needs this. */
  readonly allowPlainHttp: boolean
  readonly repository: string
}

export class ConfigurationError extends Error {
  readonly kind = 'ConfigurationError'
}

export interface ConfigurationFlags {
  state?: string
  listen?: string
  config?: string
  open?: boolean
}

/** Where state folders of root have what does not outlast the host's start, each a folder of its own; whoever is not root has it in the state folder. */
export const SHARED_RUN_FOLDER = '/run/edgehold'

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|::1|\[::1\])$/

/** Reads flags, environment and file into one object; throws ConfigurationError with a sentence. */
export function readConfiguration(flags: ConfigurationFlags, environment: NodeJS.ProcessEnv): Configuration {
  const path = flags.config ?? environment['EDGEHOLD_CONFIG']
  const file = readFile(path)
  const setting = (name: string, variable: string): string | undefined => environment[variable] ?? text(file[name], name)
  const onOff = (name: string, variable: string, otherwise = 'false'): boolean => isOn(environment[variable] === undefined ? `${name} of the configuration file` : variable, setting(name, variable) ?? otherwise)
  const isRoot = process.getuid?.() === 0
  const stateDir = canonical(flags.state ?? setting('state', 'EDGEHOLD_STATE') ?? (isRoot ? '/var/lib/edgehold' : join(homedir(), '.local/share/edgehold')))
  const hash = createHash('sha256').update(stateDir).digest('hex').slice(0, 8)
  const listen = parseListen(flags.listen ?? setting('listen', 'EDGEHOLD_LISTEN') ?? '127.0.0.1:7420')
  const allowPlainHttp = onOff('allowPlainHttp', 'EDGEHOLD_ALLOW_PLAIN_HTTP')
  if (!LOOPBACK.test(listen.host) && !allowPlainHttp) {
    throw new ConfigurationError(`Listening on ${listen.host} without TLS would show signed requests to the network; set EDGEHOLD_ALLOW_PLAIN_HTTP=true if a proxy in front speaks TLS, or listen on 127.0.0.1.`)
  }
  const advertise = advertised(setting('advertise', 'EDGEHOLD_ADVERTISE'))
  const advertisePortBase = portBase(setting('advertisePortBase', 'EDGEHOLD_ADVERTISE_PORT_BASE') ?? '26000')
  return {
    file: path === undefined ? undefined : resolve(path),
    stateDir,
    hash,
    runDir: isRoot ? join(SHARED_RUN_FOLDER, hash) : join(stateDir, 'run'),
    listen,
    databaseUrl: setting('databaseUrl', 'DATABASE_URL'),
    componentsDir: setting('componentsDir', 'EDGEHOLD_COMPONENTS_DIR'),
    cacheDir: setting('cacheDir', 'EDGEHOLD_CACHE') ?? join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'edgehold'),
    releases: onOff('releases', 'EDGEHOLD_RELEASES', 'true'),
    advertise,
    advertisePortBase,
    joinAdvertise: setting('joinAdvertise', 'EDGEHOLD_JOIN_ADVERTISE') ?? advertise,
    overlayPort: port(setting('overlayPort', 'EDGEHOLD_OVERLAY_PORT') ?? String(advertisePortBase - 1), 'overlayPort'),
    overlayRange: setting('overlayRange', 'EDGEHOLD_OVERLAY_RANGE'),
    open: flags.open ?? onOff('open', 'EDGEHOLD_OPEN'),
    bridgeRange: setting('bridgeRange', 'EDGEHOLD_BRIDGE_RANGE'),
    regionAliases: (setting('regionAliases', 'EDGEHOLD_REGION_ALIASES') ?? 'cn-*,ap-*').split(',').map(alias => alias.trim()).filter(alias => alias !== ''),
    readsPerSecond: count(setting('readsPerSecond', 'EDGEHOLD_READS_PER_SECOND') ?? '10000', 'readsPerSecond'),
    writesPerSecond: count(setting('writesPerSecond', 'EDGEHOLD_WRITES_PER_SECOND') ?? '2000', 'writesPerSecond'),
    graceMs: minutes(setting('graceMinutes', 'EDGEHOLD_GRACE_MINUTES') ?? '120', 'graceMinutes'),
    allowPlainHttp,
    repository: join(import.meta.dirname, '../..'),
  }
}

function readFile(path: string | undefined): Record<string, unknown> {
  if (path === undefined) return {}
  if (!existsSync(path)) throw new ConfigurationError(`The configuration file ${path} is not there.`)
  try {
    const content: unknown = parse(readFileSync(path, 'utf8'))
    if (content === null || content === undefined) return {}
    if (typeof content !== 'object' || Array.isArray(content)) throw new ConfigurationError(`The configuration file ${path} must hold members, e.g. "listen: 127.0.0.1:7420".`)
    return content as Record<string, unknown>
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause
    throw new ConfigurationError(`The configuration file ${path} could not be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function text(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return value.join(',')
  throw new ConfigurationError(`${name} of the configuration file must be a text.`)
}

function count(value: string, name: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1) throw new ConfigurationError(`${name} must be a whole number above 0; it is ${value}.`)
  return number
}

/** In ms. Fractions are allowed, so that it can be tried in seconds. */
function minutes(value: string, name: string): number {
  const ms = Math.round(Number(value) * 60_000)
  if (!Number.isSafeInteger(ms) || ms < 1) throw new ConfigurationError(`${name} must be a number of minutes above 0, e.g. 120 or 0.5; it is ${value}.`)
  return ms
}

const DNS_NAME = /^(?=.{1,253}$)(?!.*\.\d+$)[a-z\d]([a-z\d-]{0,61}[a-z\d])?(\.[a-z\d]([a-z\d-]{0,61}[a-z\d])?)*$/

/** Only what a certificate can name and every client can dial: ports come from the clusters. */
function advertised(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined
  const name = value.toLowerCase()
  if ((isIPv4(name) && !/^(127|0)\./.test(name)) || (DNS_NAME.test(name) && name !== 'localhost')) return name
  throw new ConfigurationError(`advertise takes an IPv4 address or a DNS name by which others reach this host, without a port, e.g. 192.0.2.7 or edge.example; it is ${value}.`)
}

/** Ports for all of a region's range must follow it. */
function portBase(value: string): number {
  const most = 65_536 - 2 ** (32 - RANGE_PREFIX)
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1024 || number > most) throw new ConfigurationError(`advertisePortBase must be a whole number from 1024 to ${most}; it is ${value}.`)
  return number
}

function port(value: string, name: string): number {
  const number = count(value, name)
  if (number > 65_535) throw new ConfigurationError(`${name} must be a port, 1 to 65535; it is ${value}.`)
  return number
}

function parseListen(value: string): { host: string; port: number } {
  const match = /^(?<host>[^:]+|\[[^\]]+\]):(?<port>\d{1,5})$/.exec(value)
  const port = Number(match?.groups?.['port'])
  if (!match?.groups || port > 65_535) throw new ConfigurationError(`--listen takes HOST:PORT, e.g. 127.0.0.1:7420; it is ${value}.`)
  return { host: match.groups['host'] ?? '', port }
}

/** The state folder by the path that stays the same however it is named. It is made if it is missing: 0711, since PostgreSQL runs in it as another user. */
function canonical(path: string): string {
  const absolute = resolve(path)
  if (/^\/(proc|sys|dev)(\/|$)/.test(absolute)) throw new ConfigurationError(`The state folder ${absolute} cannot be used: it must be on a disk. Give another with --state DIR.`)
  // It becomes part of mount options and of shell words, where these mean something else.
  if (/[\s,:\\'"$`*?[\]]/.test(absolute)) throw new ConfigurationError(`The state folder ${absolute} cannot be used: its path may have no white space, quotes, or any of , : \\ $ * ? [ ]. Give another with --state DIR.`)
  try {
    mkdirSync(absolute, { recursive: true, mode: 0o711 })
    return realpathSync(absolute)
  } catch (cause) {
    throw new ConfigurationError(`The state folder ${absolute} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}. Give another with --state DIR.`, { cause })
  }
}
