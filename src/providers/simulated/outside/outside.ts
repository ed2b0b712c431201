import { protectedThing } from '#ports/not-removed.ts'
import { OutsideHeld, OutsideRefused, type OutsideKind, type OutsideOrder, type OutsideResources, type OutsideSeen } from '#ports/outside.ts'
import type { Durations } from '../durations.ts'
import type { Limits } from '../limits/limits.ts'
import type { OutsideThing } from '../world/things.ts'
import type { World } from '../world/world.ts'

/** How its cloud names each kind: the beginning of its ids, the call that removes one, and in sentences. */
const KINDS: Readonly<Record<OutsideKind, readonly [prefix: string, removal: string, name: string]>> = {
  LoadBalancer: ['clb', 'DeleteLoadBalancer', 'load balancer'], Nat: ['ngw', 'DeleteNatGateway', 'NAT gateway'], SecurityGroup: ['sg', 'DeleteSecurityGroup', 'security group'],
  Address: ['eip', 'ReleaseEipAddress', 'address'], Disk: ['vol', 'DeleteVolume', 'disk'],
}

/** What the world's cloud makes for clusters besides their control planes. */
export class Outside implements OutsideResources {
  readonly #world: World
  readonly #limits: Limits
  readonly #durations: Durations
  readonly #things

  constructor(world: World, limits: Limits, durations: Durations) {
    this.#world = world
    this.#limits = limits
    this.#durations = durations
    this.#things = world.table<OutsideThing>('outside')
    world.on('outside', token => this.#live(token))
  }

  get(token: string): OutsideThing | undefined {
    return this.#things.get(token)
  }

  /** Why it is not removed; of what was never made nobody knows a name. */
  held(token: string, why?: string): OutsideHeld {
    const thing = this.#things.get(token)
    if (!thing) return new OutsideHeld(why ?? 'It is protected against deletion')
    const names = { thing: `The ${KINDS[thing.kind][2]} ${thing.name} (${thing.providerId})`, call: KINDS[thing.kind][1] }
    return new OutsideHeld(protectedThing(names, why), { names })
  }

  async ensure({ token, kind, accountId, clusterId, name }: OutsideOrder): Promise<OutsideSeen> {
    let thing = this.#things.get(token)
    if (!thing) {
      const takes = this.#limits.take({ kind, account: accountId, areas: [] }, name, OutsideRefused)
      const { draw } = this.#world
      thing = {
        kind, name, clusterId, takes, providerId: `${KINDS[kind][0]}-${draw.hex(20, 'outside', token)}`,
        readyAt: this.#world.now() + draw.within(this.#durations.outside, 'outside', 'ensure', token), deleteProtected: false,
      }
      this.#things.put(token, thing)
      this.#world.schedule('outside', token, thing.readyAt)
    }
    await this.#world.settle()
    return this.#see(thing)
  }

  async look(token: string): Promise<OutsideSeen | undefined> {
    const thing = this.#things.get(token)
    return thing && this.#see(thing)
  }

  async ensureGone(token: string): Promise<void> {
    const thing = this.#things.get(token)
    if (thing?.deleteProtected) throw this.held(token)
    if (thing) {
      this.#limits.giveBack(thing.takes)
      this.#things.delete(token)
    }
    await this.#world.settle()
  }

  /** Somebody sets or takes off the deletion protection of one thing, by its provider id. False if there is none. */
  async protect(providerId: string, on: boolean): Promise<boolean> {
    for (const [token, thing] of this.#things.entries()) {
      if (thing.providerId === providerId) this.#things.put(token, { ...thing, deleteProtected: on })
      else continue
      await this.#world.settle()
      return true
    }
    return false
  }

  restore(): void {
    for (const [token, { readyAt }] of this.#things.entries()) this.#world.reschedule('outside', token, readyAt)
  }

  #see({ providerId, readyAt, deleteProtected }: OutsideThing): OutsideSeen {
    return { providerId, state: readyAt <= this.#world.now() ? 'ready' : 'making', deleteProtected }
  }

  #live(token: string): void {
    const thing = this.#things.get(token)
    if (thing) this.#world.tell({ kind: 'ControlPlane', clusterId: thing.clusterId })
  }
}
