/** What of an installation is still on this host: processes, network namespaces, bridges, mounts, cgroups, firewall rules. Looks by names and paths only, with tools of its own. */
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { globSync, readdirSync, readFileSync } from 'node:fs'

export async function leftOnHost(stateDir: string): Promise<string[]> {
  const hash = createHash('sha256').update(stateDir).digest('hex').slice(0, 8)
  const left: string[] = []
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const command = text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
    const groups = text(`/proc/${pid}/cgroup`)
    // A dead process that init has not collected yet runs nothing and holds nothing.
    if (/^State:\s*[ZX]/m.test(text(`/proc/${pid}/status`))) continue
    if (command.includes(stateDir) || groups.includes(`edgehold-${hash}`)) left.push(`process ${pid}: ${command.slice(0, 120)}`)
  }
  left.push(...lines('ip', ['netns', 'list']).filter(line => line.includes(hash)).map(line => `network namespace ${line}`))
  left.push(...lines('ip', ['-o', 'link']).filter(line => line.includes(hash.slice(0, 6)) && !line.includes('link-netns-foreign')).map(line => `link ${line.slice(0, 80)}`))
  left.push(...lines('ip', ['rule', 'list']).filter(line => line.includes(hash)).map(line => `routing rule ${line}`))
  left.push(...lines('ip', ['-4', 'route', 'show', 'table', 'all']).filter(line => line.includes(`dev e${hash.slice(0, 6)}`) || line.includes(`dev eh${hash}`)).map(line => `route ${line}`))
  left.push(...text('/proc/mounts').split('\n').filter(line => line.includes(stateDir) || line.includes(hash)).map(line => `mount ${line.slice(0, 120)}`))
  left.push(...globSync([`/sys/fs/cgroup/**/edgehold-${hash}*`]).map(path => `cgroup ${path}`))
  left.push(...lines('nft', ['list', 'tables']).filter(line => line.includes(hash)).map(line => `nftables ${line}`))
  left.push(...lines('losetup', ['-a']).filter(line => line.includes(stateDir)).map(line => `loop device ${line}`))
  left.push(...globSync(`/run/edgehold/${hash}*`).map(path => `folder ${path}`))
  return left
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // ended meanwhile
  }
}

function lines(program: string, args: string[]): string[] {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n').filter(line => line !== '')
  } catch {
    return [] // the program is not there, so neither is what it would list
  }
}
