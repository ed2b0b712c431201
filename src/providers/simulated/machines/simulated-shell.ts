import { RemoteShellFailed, type LineEnd, type RemoteAddress, type RemoteFailure, type RemoteSession, type RemoteShell } from '#ports/remote-shell.ts'
import type { Faults } from '../faults/faults.ts'
import type { WorldMachine } from '../world/things.ts'
import type { World } from '../world/world.ts'
import { targetOfMachine, type Fleet } from './fleet.ts'
import { ends, slowness, type Onboarding } from './onboarding.ts'

/** Where the machines of a world listen for logins. */
const PORT = 22
/** What takes longer is given up, as by anybody who logs in. */
const PATIENCE_MS = 30_000

/** The world's machines as their owners reach them: by address or by name, as root, with any password but an empty one. Faults strike it as `machines login`. */
export class SimulatedShell implements RemoteShell {
  readonly isImmediate = true
  readonly #world: World
  readonly #faults: Faults
  readonly #fleet: Fleet
  readonly #onboarding: Onboarding

  constructor({ world, faults, fleet, onboarding }: { world: World; faults: Faults; fleet: Fleet; onboarding: Onboarding }) {
    this.#world = world
    this.#faults = faults
    this.#fleet = fleet
    this.#onboarding = onboarding
  }

  async logIn(at: RemoteAddress & { readonly password: string }, signal: AbortSignal): Promise<RemoteSession> {
    signal.throwIfAborted()
    const [id, machine] = this.#at(at.address) ?? []
    if (id === undefined || !machine) throw new RemoteShellFailed(/^[\d.]+$/.test(at.address) ? 'Unreachable' : 'NameUnknown', at)
    const why = this.#whyNot(machine, at)
    if (why) throw new RemoteShellFailed(why, at)
    const fault = this.#faults.strike('machines', 'login', targetOfMachine(id, machine)), laterMs = slowness(fault)
    await this.#world.settle()
    if (ends(fault)) throw new RemoteShellFailed('Closed', at, fault?.effect.message)
    if (laterMs > PATIENCE_MS) throw new RemoteShellFailed('NoAnswer', at, `it was not logged in within ${PATIENCE_MS / 1_000} s`)
    return { hostKey: `SHA256:${this.#world.draw.hex(32, 'host-key', id)}`, start: line => this.#start(id, at, line, laterMs), close: () => {} }
  }

  async #start(id: string, at: RemoteAddress, line: string, laterMs: number): Promise<{ ended: Promise<LineEnd | undefined> }> {
    const machine = this.#fleet.get(id)
    if (machine?.power !== 'on') throw new RemoteShellFailed('Closed', at)
    if (at.user !== 'root') return { ended: Promise.resolve({ exitCode: 1, output: 'edgehold: This script must be run as root. Nothing was changed.' }) }
    const said = this.#onboarding.begin(id, machine, line, { laterMs, isHeard: true })
    this.#fleet.put(id, machine)
    await this.#world.settle()
    return { ended: Promise.resolve(said === undefined ? undefined : { exitCode: 1, output: said }) }
  }

  #whyNot({ power, link, upAt, pool }: WorldMachine, { port, password }: { port: number; password: string }): RemoteFailure | undefined {
    if (power === 'off' || link === 'cut') return 'Unreachable'
    if (port !== PORT || (upAt ?? Infinity) > this.#world.now()) return 'Refused'
    // What a pool ordered belongs to nobody who would know a password.
    return password === '' || pool !== undefined ? 'Denied' : undefined
  }

  #at(address: string): [string, WorldMachine] | undefined {
    for (const entry of this.#fleet.entries()) if (entry[1].address === address || entry[1].name === address) return entry
    return undefined
  }
}
