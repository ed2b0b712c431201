import { access, constants } from 'node:fs/promises'
import { HostNetworkFailure } from './choose.ts'
import { runTool, ToolFailed } from './tool.ts'

/** Programs that the local region and, on the host's own files, its machines run, and the Debian package of each. */
const TOOLS = { ip: 'iproute2', nft: 'nftables', nsenter: 'util-linux', unshare: 'util-linux', setpriv: 'util-linux', flock: 'util-linux', 'mkfs.ext4': 'e2fsprogs', losetup: 'mount', curl: 'curl' } as const

/** The packages whose programs are missing on this host. */
export async function missingHostPackages(): Promise<readonly string[]> {
  const missing = new Set<string>()
  for (const [program, name] of Object.entries(TOOLS)) if (!await isOnPath(program)) missing.add(name)
  return [...missing]
}

/** Installs what is missing with apt, telling each step; throws HostNetworkFailure with the command to run where that is not possible. */
export async function ensureHostTools(onProgress: (sentence: string) => void): Promise<void> {
  const missing = await missingHostPackages()
  if (missing.length === 0) return
  const command = `apt-get install -y ${missing.join(' ')}`
  if (!await isOnPath('apt-get')) throw new HostNetworkFailure(`This host lacks ${missing.join(', ')}. Install them with its package manager and run the command again.`)
  onProgress(`Installing ${missing.join(', ')} with apt`)
  const quiet = { env: { DEBIAN_FRONTEND: 'noninteractive' }, deadlineMs: 300_000 }
  try {
    await install(missing, quiet)
  } catch (error) {
    if (!(error instanceof ToolFailed)) throw error
    try {
      onProgress('Reading the package lists first')
      await runTool('apt-get', ['update', '-q'], quiet)
      await install(missing, quiet)
    } catch (cause) {
      throw new HostNetworkFailure(`${missing.join(', ')} could not be installed. Run \`${command}\` by hand, then the command again.`, { cause })
    }
  }
  onProgress(`Installed ${missing.join(', ')}`)
}

async function install(packages: readonly string[], options: { env: Record<string, string>; deadlineMs: number }): Promise<void> {
  await runTool('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], options)
}

async function isOnPath(program: string): Promise<boolean> {
  for (const folder of (process.env['PATH'] ?? '').split(':').concat('/usr/sbin', '/sbin')) {
    const found = await access(`${folder}/${program}`, constants.X_OK).then(() => true, () => false)
    if (found) return true
  }
  return false
}
