import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { defaultCacheDir } from '#kubernetes/components/component-cache.ts'
import type { ComponentFile } from '#ports/components.ts'
import { systemClock } from '#main/system-clock.ts'
import { whenEnded, type Farewell } from '#test/harness/when-ended.ts'

const run = promisify(execFile)
const repository = join(import.meta.dirname, '../..')
/** In /proc/PID/stat, from 0; names of programs that are run here have no blanks. */
const STARTED_AT = 21

export interface VirtualMachineOptions {
  readonly name: string
  readonly bridge: string
  readonly address: string
  readonly prefix: number
  readonly gateway: string
  /** Where this test listens for it; the gateway by default, which is this host then. */
  readonly hands?: string
  /** Programs that it has already. */
  readonly programs: readonly Promise<ComponentFile>[]
}

/**
 * A whole machine under software emulation: its own kernel, systemd, cgroup v2. What it runs comes to it over HTTP from this test (its seed disk holds
 * the loop that asks), so nothing has to listen in it.
 */
export class VirtualMachine implements AsyncDisposable {
  readonly #options: VirtualMachineOptions
  readonly #folder = mkdtempSync('/var/tmp/edgehold-vm-')
  readonly #tap: string
  readonly #waiting: { command: string; settle: (output: string) => void }[] = []
  #running: ((output: string) => void) | undefined
  #asking: ServerResponse | undefined
  /** The boot in which it asked last. */
  #boot: string | undefined
  #hands: Server | undefined
  #qemu: ChildProcess | undefined
  #farewell: Farewell | undefined

  static async boot(options: VirtualMachineOptions): Promise<VirtualMachine> {
    const images = join(dirname(defaultCacheDir(process.env)), 'virtual-machine')
    await run('sh', [join(import.meta.dirname, 'virtual-machine/make-image.sh'), images], { maxBuffer: 1 << 26, timeout: 900_000 })
    const machine = new VirtualMachine(options)
    try {
      await machine.#start(images)
    } catch (error) {
      await machine[Symbol.asyncDispose]()
      throw error
    }
    return machine
  }

  private constructor(options: VirtualMachineOptions) {
    this.#options = options
    this.#tap = `ehv${createHash('sha256').update(this.#folder).digest('hex').slice(0, 8)}`
  }

  async #start(images: string): Promise<void> {
    const { bridge, gateway, hands = gateway } = this.#options
    this.#hands = createServer((request, response) => {
      if (request.url?.startsWith('/next/')) {
        this.#asking = response
        this.#boot = request.url
        this.#hand()
        return
      }
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        response.end()
        this.#running?.(Buffer.concat(chunks).toString())
        this.#running = undefined
      })
    })
    this.#hands.requestTimeout = 0
    await new Promise<void>((resolve) => this.#hands?.listen(7480, hands, resolve))
    await this.#makeSeed()
    await run('ip', ['tuntap', 'add', this.#tap, 'mode', 'tap'])
    await run('ip', ['link', 'set', this.#tap, 'master', bridge, 'up'])
    const temporary = join(this.#folder, 'tmp') // where the changes to the disk go
    mkdirSync(temporary)
    this.#qemu = spawn('qemu-system-x86_64', [
      '-m', '3072', '-smp', '2', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-display', 'none',
      '-kernel', join(images, 'vmlinuz'), '-initrd', join(images, 'initrd.img'), '-append', 'root=/dev/vda rw console=ttyS0 quiet net.ifnames=0',
      '-drive', `file=${join(images, 'disk.img')},if=virtio,format=raw,snapshot=on`, '-drive', `file=${join(this.#folder, 'seed.img')},if=virtio,format=raw,readonly=on`,
      '-netdev', `tap,id=net,ifname=${this.#tap},script=no,downscript=no`, '-device', 'virtio-net-pci,netdev=net', '-device', 'virtio-rng-pci',
      '-serial', `file:${join(this.#folder, 'console.log')}`,
    ], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, TMPDIR: temporary } })
    // Its pid may be another's by then, but not with its start time.
    const since = readFileSync(`/proc/${this.#qemu.pid}/stat`, 'utf8').split(' ')[STARTED_AT] ?? ''
    this.#farewell = whenEnded('[ "$(cut -d" " -f22 "/proc/$EDGEHOLD_TEST_QEMU/stat")" = "$EDGEHOLD_TEST_QEMU_SINCE" ] && kill -9 "$EDGEHOLD_TEST_QEMU"; ip link delete dev "$EDGEHOLD_TEST_TAP"; rm -rf -- "$EDGEHOLD_TEST_FOLDER"', { ...process.env, EDGEHOLD_TEST_QEMU: String(this.#qemu.pid), EDGEHOLD_TEST_QEMU_SINCE: since, EDGEHOLD_TEST_TAP: this.#tap, EDGEHOLD_TEST_FOLDER: this.#folder })
  }

  /** Beside the loop the disk holds this repository's sources and the Node that runs us, for tests that run in the machine itself. */
  async #makeSeed(): Promise<void> {
    const { name, address, prefix, gateway, hands = gateway } = this.#options
    const seed = join(this.#folder, 'seed')
    mkdirSync(join(seed, 'repository/test'), { recursive: true })
    for (const path of ['package.json', 'src', 'test/real', 'test/harness']) cpSync(join(repository, path), join(seed, 'repository', path), { recursive: true })
    cpSync(process.execPath, join(seed, 'node'))
    const libraries = (await run('ldd', [process.execPath])).stdout.split('\n').map((line) => /=> (\/\S+)/.exec(line)?.[1]).filter((path) => path?.includes('libatomic'))
    for (const library of libraries) if (library) copyFileSync(library, join(seed, 'libatomic.so.1')) // a minimal system has not that one
    // The large programs lie there as after an earlier run of the script (right name, right checksum): under emulation TLS and SHA-256 of 300 MB take
    // minutes. The smaller ones are fetched as on any machine.
    for (const folder of ['bin', 'sums']) mkdirSync(join(seed, 'opt', folder), { recursive: true })
    for (const file of await Promise.all(this.#options.programs)) {
      cpSync(file.path, join(seed, 'opt/bin', file.name))
      writeFileSync(join(seed, 'opt/sums', file.name), file.sha256)
    }
    writeFileSync(join(seed, 'run'), `
echo ${name} > /etc/hostname
hostname ${name}
ip link set lo up
ip link set eth0 up
ip address add ${address}/${prefix} dev eth0
ip route add default via ${gateway}
[ -e /var/seeded ] || { mkdir -p /opt/edgehold; cp -a /seed/opt/. /opt/edgehold/; touch /var/seeded; } # at its first boot
while :; do
  curl -sf --max-time 3600 http://${hands}:7480/next/$(cat /proc/sys/kernel/random/boot_id) -o /run/command || { sleep 0.3; continue; }
  sh /run/command > /run/output 2>&1 < /dev/null
  echo "exit $?" >> /run/output
  curl -s --data-binary @/run/output http://${hands}:7480/done
done
`)
    await run('truncate', ['-s', '900M', join(this.#folder, 'seed.img')])
    await run('mkfs.ext4', ['-q', '-F', '-d', seed, join(this.#folder, 'seed.img')])
  }

  #hand(): void {
    if (!this.#asking || this.#running) return
    const next = this.#waiting.shift()
    if (!next) return
    this.#running = next.settle
    this.#asking.end(`export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root\n${next.command}\n`)
    this.#asking = undefined
  }

  /** Runs a command in the machine, one after another; waits for the machine to boot, too. */
  async exec(command: string, deadlineMs = 180_000): Promise<{ exitCode: number; output: string }> {
    const done = new Promise<string>((settle) => this.#waiting.push({ command, settle }))
    this.#hand()
    const stop = new AbortController()
    const output = await Promise.race([done, systemClock.sleep(deadlineMs, stop.signal).then(() => undefined, () => undefined)])
    stop.abort()
    if (output === undefined) throw new Error(`Not within ${deadlineMs / 1000} s in the virtual machine: ${command}\nIts console says last:\n${this.console()}`)
    const code = /exit (\d+)\n$/.exec(output)
    return { exitCode: Number(code?.[1]), output: output.slice(0, code?.index) }
  }

  /** Shuts it down in good order and starts it again with its disk as it is; returns when it takes commands again. */
  async reboot(): Promise<void> {
    const before = this.#boot
    await this.exec('(sleep 1; systemctl reboot) > /dev/null 2>&1 &')
    const deadline = performance.now() + 180_000
    while (this.#boot === before) {
      if (performance.now() > deadline) throw new Error(`The virtual machine did not come back. Its console says last:\n${this.console()}`)
      await systemClock.sleep(100)
    }
  }

  console(): string {
    const file = join(this.#folder, 'console.log')
    return existsSync(file) ? readFileSync(file, 'utf8').slice(-3000) : ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#qemu && this.#qemu.exitCode === null) {
      const ended = new Promise((resolve) => this.#qemu?.once('exit', resolve))
      this.#qemu.kill('SIGKILL')
      await ended
    }
    this.#hands?.closeAllConnections()
    this.#hands?.close()
    await run('ip', ['link', 'delete', this.#tap]).catch(() => {}) // it goes with qemu where qemu made it
    this.#farewell?.dismiss()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
