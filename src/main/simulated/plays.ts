import { isSameOrder, isWaitedForAlike, leavesNothing, waitingFor, wentOn, type EndedPlay, type KeptPlay, type PlayOrder, type ScenarioPlays, type Waiting } from '#api/scenarios/kept-play.ts'
import type { KeptLease } from '#kernel/keep-lease.ts'
import { refuse } from '#model/errors/catalogue.ts'
import type { Queue } from '#ports/queue.ts'
import type { RegionRecord, Store } from '#ports/store.ts'
import type { SimulatedRegionFace } from './face.ts'
import { settingsOf, withSettings } from './settings.ts'
import { systemClock } from '../system-clock.ts'

export interface PlaysParts {
  readonly store: Store
  readonly queue: Pick<Queue, 'outlives'>
  readonly lease: Pick<KeptLease, 'lease'>
  readonly faceOf: (region: string) => SimulatedRegionFace | undefined
  /** Makes a region for a play; false where one of that name is there, or one for a play of its token. */
  make(region: string, play: KeptPlay): Promise<boolean>
  remove(region: string): Promise<unknown>
  /** Finds regions that another server made. */
  readonly look: () => Promise<void>
  readonly signal: AbortSignal
}

/** Where another server plays it nobody here is told. */
const LOOK_EVERY_MS = 200

interface Taken { readonly region: string; readonly play: KeptPlay }

/** Calls of RunScenario and the plays that they wait for. What is played is kept in the record of its region, and whoever runs that plays it (`keepPlaying`). */
export class Plays implements ScenarioPlays {
  readonly #parts: PlaysParts
  /** Those of this process that wait or are being answered. */
  readonly #calls = new Set<string>()

  constructor(parts: PlaysParts) {
    this.#parts = parts
  }

  fresh(order: PlayOrder, nameOf: (number: number) => string): Promise<EndedPlay> {
    return this.#asCall(async waits => {
      const play: KeptPlay = { id: crypto.randomUUID(), order, fresh: true, turn: 0, waits: [waits] }
      for (let number = 1; ; number++) {
        const repeated = await this.#takeOver(order, waits)
        if (repeated) return repeated
        if (await this.#parts.make(nameOf(number), play)) return { region: nameOf(number), play }
      }
    })
  }

  in(region: string, order: PlayOrder): Promise<EndedPlay> {
    return this.#asCall(async waits => {
      const before = playOf(await this.#parts.store.findRegion(region))
      const left = before?.end && isSameOrder(before.order, order) && await this.#isLeft(region, before) ? before : undefined
      const play = await this.#put(region, there => {
        if (there && hasToken(there, order) && !isSameOrder(there.order, order)) refuse('IdempotentParameterMismatch', { action: 'RunScenario' })
        // Another's, in a region that is its own.
        if (there?.fresh && !there.end) refuseBusy(region, there)
        if (there && isSameOrder(there.order, order) && (!there.end || hasToken(there, order) || (left?.id === there.id && isWaitedForAlike(left, there)))) return this.#joined(there, order, waits)
        if (there && !there.end) refuseBusy(region, there)
        return { id: crypto.randomUUID(), order, fresh: false, turn: 0, waits: [waits] }
      })
      return play ? { region, play } : refuseDeleted(region)
    })
  }

  async told({ region, play, caller }: EndedPlay): Promise<void> {
    try {
      let isThere = false
      const told = await this.#put(region, there => {
        isThere = there !== undefined && (there.id === play.id || !play.fresh)
        if (there?.id !== play.id) return undefined
        const waits = waitingFor(there).filter(({ call }) => call !== caller.call), waited = waits.length < waitingFor(there).length
        // A repeat that came meanwhile waits for its own answer, or let the play go on.
        return { ...there, waits, ...there.since === play.since && (waited || !there.fresh) && { told: true } }
      })
      if (!isThere && 'at' in play.end) this.#refuseGone({ region, play }, caller)
      if (told?.told && leavesNothing(told) && waitingFor(told).length === 0) await this.#parts.remove(region)
    } finally {
      this.#calls.delete(caller.call)
    }
  }

  /** Whether a call waits for the play, of this process or of one that lives. */
  async isWaitedFor(play: KeptPlay): Promise<boolean> {
    const waits = waitingFor(play), own = this.#parts.lease.lease()?.name
    if (waits.some(({ call }) => this.#calls.has(call))) return true
    const others = new Map(waits.filter(({ process }) => process !== own).map(({ process: name, epoch }) => [`${name}/${epoch}`, { name, epoch }]))
    return (await Promise.all([...others.values()].map(other => this.#parts.queue.outlives(other)))).includes(true)
  }

  async #asCall(take: (waits: Waiting) => Promise<Taken>): Promise<EndedPlay> {
    const { name: process = '', epoch = 0 } = this.#parts.lease.lease() ?? {}
    const waits = { process, epoch, call: crypto.randomUUID() }
    this.#calls.add(waits.call)
    try {
      return await this.#ended(await take(waits), waits)
    } catch (error) {
      this.#calls.delete(waits.call)
      throw error
    }
  }

  /** The play of a call that this one repeats: of the same token, or one that asked for the same and whose server died before it answered. */
  async #takeOver(order: PlayOrder, waits: Waiting): Promise<Taken | undefined> {
    for (const record of await this.#parts.store.listRegions()) {
      const { region } = record, play = playOf(record)
      if (!play?.fresh || play.order.accountId !== order.accountId) continue
      const isOfToken = hasToken(play, order)
      if (!isSameOrder(play.order, order)) {
        if (isOfToken) refuse('IdempotentParameterMismatch', { action: 'RunScenario' })
        continue
      }
      if (!isOfToken && !await this.#isLeft(region, play)) continue
      const taken = await this.#put(region, there => {
        if (there?.id !== play.id) return undefined
        if (isOfToken) return isOver(there) ? undefined : this.#joined(there, order, waits)
        return there.told || !isWaitedForAlike(there, play) ? undefined : { ...joined(wentOn(there), order), waits: [waits] }
      })
      if (taken) return { region, play: taken }
    }
    return undefined
  }

  /** The play with one more call that waits for it. Those of this process that were cut off wait no more. */
  #joined(play: KeptPlay, order: PlayOrder, waits: Waiting): KeptPlay {
    return { ...joined(wentOn(play), order), waits: [...waitingFor(play).filter(({ process, call }) => process !== waits.process || this.#calls.has(call)), waits] }
  }

  /** Nobody was or will be given its story, and its region is as it ended: whoever went on with that one wants another one. */
  async #isLeft(region: string, play: KeptPlay): Promise<boolean> {
    const { store } = this.#parts
    if (play.told || await this.isWaitedFor(play)) return false
    const { end, state, order: { accountId } } = play
    if (!end || !('at' in end) || !state) return true
    const [record, { items: [last] }] = await Promise.all([store.findRegion(region), store.listHistory({ accountId, region }, {}, { number: 1, size: 1 })])
    if (!record) return false
    const { paused, at, steppedTo = at } = settingsOf(record).clock
    return paused && steppedTo <= end.at && (last?.position ?? 0) <= state.told
  }

  async #ended(taken: Taken, caller: Waiting): Promise<EndedPlay> {
    const { region, play: { id, fresh } } = taken
    const { store, faceOf, look, signal } = this.#parts
    if (!faceOf(region)) await look()
    for (;;) {
      const followed = faceOf(region)?.followed()
      const play = playOf(await store.findRegion(region))
      if (!play || (play.id !== id && fresh)) return this.#refuseGone(taken, caller)
      if (play.id !== id) refuse('OperationDenied.RegionNotReady', { region, why: 'another scenario is played in it by now, and the story of this one is lost' })
      if (play.fresh && !waitingFor(play).some(({ call }) => call === caller.call)) refuse('ServiceUnavailable', { why: 'a repeat of this call is given the story' })
      const { end } = play
      if (end) return { region, play: { ...play, end }, caller }
      if (signal.aborted) refuse('ServiceUnavailable', { why: 'the server ends; the scenario goes on when it is there again' })
      const patience = new AbortController()
      await Promise.race([followed, systemClock.sleep(LOOK_EVERY_MS, AbortSignal.any([signal, patience.signal])).catch(() => undefined)].filter(each => each !== undefined)) // aborted: looked at above
      patience.abort()
    }
  }

  /** A server that stood still, or could not renew its lease, is taken for dead: whoever played it to its end meanwhile waits for no call of it, and removes the region as one whose story is told. */
  #refuseGone({ region, play }: Taken, { process, epoch }: Waiting): never {
    const lease = this.#parts.lease.lease()
    const isAsItWas = lease?.name === process && lease.epoch === epoch && !lease.lost.aborted && lease.isOver?.() !== true
    if (leavesNothing(play) && !isAsItWas) refuse('ServiceUnavailable', { why: 'this server stood still while the scenario was played, and nothing is left of it' })
    return refuseDeleted(region)
  }

  /** Changes the play that the record keeps; undefined where `change` says so, or the region goes. */
  async #put(region: string, change: (there: KeptPlay | undefined) => KeptPlay | undefined): Promise<KeptPlay | undefined> {
    return changePlay(this.#parts, region, change)
  }
}

/** Changes the play that a region's record keeps, and lets those look who run it here; undefined where `change` says so, or the region goes. */
export async function changePlay({ store, faceOf }: Pick<PlaysParts, 'store' | 'faceOf'>, region: string, change: (there: KeptPlay | undefined) => KeptPlay | undefined): Promise<KeptPlay | undefined> {
  const next = await store.write(systemClock.now(), async tx => {
    const record = await tx.lockRegion(region)
    const play = record && !settingsOf(record).deleting ? change(settingsOf(record).play) : undefined
    if (!record || !play) return undefined
    const changed = withSettings(record, { play })
    await tx.putRegion(changed)
    return changed
  })
  if (!next) return undefined
  faceOf(region)?.follow(settingsOf(next))
  return settingsOf(next).play
}

/** Of a region that stays. */
function playOf(record: RegionRecord | undefined): KeptPlay | undefined {
  if (record?.kind !== 'Simulated' || settingsOf(record).deleting) return undefined
  return settingsOf(record).play
}

/** Whether the order came with the token of the play, by the same account. */
export function hasToken({ order: { token, accountId }, tokens = [] }: KeptPlay, order: PlayOrder): boolean {
  return order.token !== undefined && (token === order.token || tokens.includes(order.token)) && accountId === order.accountId
}

/** All who waited for it were given its story, and its region goes. */
function isOver(play: KeptPlay): boolean {
  return play.told === true && leavesNothing(play) && waitingFor(play).length === 0
}

/** The play, as it was ordered first, with the token of a call that joins it. */
function joined(play: KeptPlay, order: PlayOrder): KeptPlay {
  return order.token === undefined || hasToken(play, order) ? play : { ...play, tokens: [...play.tokens ?? [], order.token] }
}

function refuseBusy(region: string, { order: { scenario } }: KeptPlay): never {
  return refuse('OperationDenied.RegionNotReady', { region, why: `the scenario ${scenario} is being played in it; send the call again when that is over` })
}

function refuseDeleted(region: string): never {
  return refuse('OperationDenied.RegionNotReady', { region, why: 'it was deleted while the scenario was played in it' })
}
