import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { whenEnded, type Farewell } from '#test/harness/when-ended.ts'

const run = promisify(execFile)

/** Of this test run alone. */
const mark = process.pid % 60

/**
 * A network that is not the region's: a router with address translation between this host and a LAN whose machines nobody outside can call. `host` is how the
 * LAN reaches this host; `bridge` is the LAN's, for machines to be plugged into.
 */
export class OutsideNetwork implements AsyncDisposable {
  readonly host = `198.51.100.${4 * mark + 1}`
  /** The router's own address on the side of this host. */
  readonly beyond = `198.51.100.${4 * mark + 2}`
  readonly gateway = `192.168.${100 + mark}.1`
  readonly prefix = 24
  readonly bridge = `eol${process.pid}`
  readonly router = `eor-${process.pid}`
  readonly #wan = `eow${process.pid}`
  readonly #lan = `eoq${process.pid}`
  #farewell: Farewell | undefined

  static async make(): Promise<OutsideNetwork> {
    const network = new OutsideNetwork()
    try {
      await network.#make()
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
    return network
  }

  address(number: number): string {
    return `192.168.${100 + mark}.${number}`
  }

  async #make(): Promise<void> {
    const { router, bridge, host, gateway, prefix } = this
    this.#farewell = whenEnded('for link in $EDGEHOLD_TEST_LINKS; do ip link delete dev "$link"; done; ip netns delete "$EDGEHOLD_TEST_ROUTER"', { ...process.env, EDGEHOLD_TEST_LINKS: this.#links.join(' '), EDGEHOLD_TEST_ROUTER: router })
    await ip('netns', 'add', router)
    await ip('link', 'add', 'name', this.#wan, 'type', 'veth', 'peer', 'name', 'wan', 'netns', router)
    await ip('address', 'add', `${host}/30`, 'dev', this.#wan)
    await ip('link', 'set', 'dev', this.#wan, 'up')
    await ip('-n', router, 'address', 'add', `${this.beyond}/30`, 'dev', 'wan')
    await ip('-n', router, 'link', 'set', 'dev', 'wan', 'up')
    await ip('link', 'add', 'name', bridge, 'type', 'bridge')
    await ip('link', 'set', 'dev', bridge, 'up')
    await ip('link', 'add', 'name', this.#lan, 'type', 'veth', 'peer', 'name', 'lan', 'netns', router)
    await ip('link', 'set', 'dev', this.#lan, 'master', bridge, 'up')
    await ip('-n', router, 'address', 'add', `${gateway}/${prefix}`, 'dev', 'lan')
    await ip('-n', router, 'link', 'set', 'dev', 'lan', 'up')
    await this.inRouter('sysctl', '-qw', 'net.ipv4.ip_forward=1')
    await this.inRouter('nft', `table ip router {
      chain back { type nat hook postrouting priority 100; oifname "wan" masquerade; }
      chain through { type filter hook forward priority 0; ct state established,related accept; iifname "wan" drop; }
    }`)
  }

  get #links(): readonly string[] {
    return [this.#wan, this.#lan, this.bridge]
  }

  inRouter(...command: readonly string[]): Promise<{ stdout: string }> {
    return run('ip', ['netns', 'exec', this.router, ...command])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links) await ip('link', 'delete', 'dev', link).catch(() => undefined) // a making that failed made not all
    await ip('netns', 'delete', this.router).catch(() => undefined)
    this.#farewell?.dismiss()
  }
}

async function ip(...words: readonly string[]): Promise<void> {
  await run('ip', words)
}
