import { admitInvited } from '#join/admit-ordered-machine.ts'
import { findInvitation } from '#join/onboarding-token.ts'
import type { MemoryStore } from '../memory-store.ts'
import type { SteppedClock } from '../stepped-clock.ts'
import { BOOT_MS, type Kubelets } from './kubelets.ts'
import type { MemoryMachines } from './machines.ts'

/** From power-on to the contact, and from there to the kubelet's first status. */
export const CONTACT_MS = BOOT_MS + 1_000

/** What machines do that were ordered with a first boot: once up they run its line, are admitted by the join endpoint's own rules, and start their kubelet. */
export class FirstBoots {
  readonly #clock: SteppedClock
  readonly #store: MemoryStore
  readonly #machines: MemoryMachines
  readonly #kubelets: Kubelets
  readonly #done = new Set<string>()
  /** Machines whose line does nothing. */
  readonly broken = new Set<string>()
  readonly refusals: string[] = []

  constructor(clock: SteppedClock, store: MemoryStore, machines: MemoryMachines, kubelets: Kubelets) {
    this.#clock = clock
    this.#store = store
    this.#machines = machines
    this.#kubelets = kubelets
  }

  async live(): Promise<void> {
    const now = this.#clock.now()
    for (const [id, line] of this.#machines.firstBoots) {
      const machine = this.#machines.made.get(id)
      if (this.#done.has(id) || machine?.power !== 'on' || this.broken.has('*') || this.broken.has(id) || now - (machine.lastOnAt ?? now) < CONTACT_MS) continue
      this.#done.add(id)
      try {
        await this.#join(id, line.split(' ')[1] ?? '', now)
      } catch (error) {
        this.refusals.push(String(error))
      }
    }
  }

  async #join(id: string, token: string, now: number): Promise<void> {
    const invitation = await findInvitation(this.#store, 'local-1', token, now)
    const newcomer = { secretHash: `secret of ${id}`, hostname: id, architecture: 'amd64', machineId: `machine-id-of-${id}`, address: '10.213.4.200', kernel: '6.1' }
    const { cluster, nodeName } = await this.#store.write(now, tx => admitInvited(tx, tx, invitation, newcomer, now, new Uint8Array(8)))
    await this.#kubelets.letIn(id, cluster.id, nodeName)
  }
}
