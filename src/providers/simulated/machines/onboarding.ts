import { DOWNLOAD_SHARE, PREFLIGHT_SHARE, type Durations } from '../durations.ts'
import type { Fault } from '../faults/fault.ts'
import type { Faults } from '../faults/faults.ts'
import type { Beginning, Membership, WorldMachine } from '../world/things.ts'
import { NEVER, type World } from '../world/world.ts'
import { targetOfMachine, type Fleet } from './fleet.ts'
import { tokenOf } from './onboarding-line.ts'
import { isConnected } from './see-machine.ts'

const SECOND = 1_000
/** A contact that was answered with "later" is tried again after so long, doubling up to the second of these, and from there on ever more seldom. */
const AGAIN_MS = 5 * SECOND, SELDOM_AGAIN_MS = 300 * SECOND
/** From the loss of its Node object, or of its cluster, until a machine asks whether it is still a member; doubling while it is told that it is. */
const ASKS = [SECOND, 15 * SECOND] as const
const SELDOM_ASK_MS = 3_600_000
const LONGER_BY = 9 / 8, MOST_LONGER = 100

/** What the join endpoint answered to a machine. */
export interface Admission {
  readonly clusterId: string
  readonly nodeName: string
  readonly nodeId?: string
  /** What its kubelet is told of the Node object that it registers. */
  readonly begins?: Beginning
}

/**
 * Onboarding scripts as the world's machines run them: contact, preflight, download, start of the kubelet. Machines tell what they would ask or report; whoever
 * runs the region answers by `admitted`, `refused` and `membership`.
 */
export class Onboarding {
  // An answer that is lost in a crash is asked for again, and is the same then; so nobody waits until it is kept.
  readonly #world: World
  readonly #faults: Faults
  readonly #durations: Durations
  readonly #fleet: Fleet
  /** Contacts that were told and wait for their answer, by machine. */
  readonly #asked = new Map<string, number>()
  /** Machines that asked whether they are members, and failures that were reported, of which nobody has heard yet. */
  readonly #asking = new Set<string>()
  readonly #reporting = new Set<string>()
  /** Machines that were told to come later, and when something last ended that may have been why. */
  readonly #later = new Set<string>()
  #turnedAt = -Infinity
  readonly #machineOfSecret = new Map<string, string>()
  #onStart: (machineId: string) => void = () => {}

  constructor(world: World, faults: Faults, durations: Durations, fleet: Fleet) {
    this.#world = world
    this.#faults = faults
    this.#durations = durations
    this.#fleet = fleet
  }

  /** Told when a kubelet starts for the first time. */
  onStart(told: (machineId: string) => void): void {
    this.#onStart = told
  }

  /** The machine runs that line, `laterMs` from now; answers what it says if it ends at once. `isHeard`: whoever started it hears what it says; otherwise it reports once it is admitted. */
  begin(id: string, machine: WorldMachine, line: string, { laterMs = 0, isHeard = false } = {}): string | undefined {
    const now = this.#world.now(), run = (machine.script?.run ?? machine.runs ?? 0) + 1, token = tokenOf(line)
    const fault = this.#strike(id, machine, 'preflight')
    const takes = laterMs + this.#share(id, run, 'preflight', PREFLIGHT_SHARE)
    const isOver = token === undefined || (isHeard && ends(fault))
    const preflight = fault && { laterMs: slowness(fault), ...ends(fault) && { fails: fault.effect.message ?? FAILURES.preflight } }
    machine.script = { token: token ?? '', startedAt: now, run, contactAt: Math.min(now + takes, NEVER), tries: 0, ...preflight && { preflight }, ...isOver && { ended: true as const } }
    this.#forgive(id, machine)
    this.#fleet.put(id, machine)
    if (!isOver) this.#world.schedule('machine', id, machine.script.contactAt)
    return isOver ? preflight?.fails ?? FAILURES.preflight : undefined
  }

  /** What is due of the script and of the membership. */
  live(id: string, machine: WorldMachine): void {
    const now = this.#world.now()
    const { script, member } = machine
    if (!isConnected(machine, now)) return
    if (script && !script.ended && script.contactAt <= now && this.#asked.get(id) !== script.contactAt) this.#contact(id, machine, script.token, script.contactAt)
    if (!member) return
    this.#reportBegun(id, machine, member, now)
    if (member.fails && !member.fails.told && member.fails.at <= now) this.#reportFailure(id, member, member.fails)
    if (member.startsAt === now && !member.fails) {
      this.#report(id, member, 'progress', 'join', 'the kubelet was started')
      this.#onStart(id)
    }
    if (member.asksAt !== undefined && member.asksAt <= now && !this.#asking.has(id)) this.#ask(id)
  }

  /** Its machine stopped or lost its network: a script that had not got so far as to be admitted ends. */
  interrupt(machine: WorldMachine): void {
    if (machine.script && !machine.script.ended) machine.script.ended = true
    // It asks no more.
    if (machine.turnedAway && !machine.turnedAway.failed) delete machine.turnedAway
  }

  /** The join endpoint let the machine in. */
  async admitted(id: string, { begins: told, ...admitted }: Admission): Promise<void> {
    const machine = this.#fleet.get(id), now = this.#world.now()
    this.#asked.delete(id)
    if (!machine?.script || machine.script.ended) return
    const { run, preflight } = machine.script
    const admission = { ...admitted, ...told && saysAnything(told) && { node: told } }
    const known = { ...machine, member: { ...admission, admittedAt: now, startsAt: now } }
    const download = preflight?.fails === undefined ? this.#strike(id, known, 'download') : undefined
    const start = preflight?.fails === undefined && !ends(download) ? this.#strike(id, known, 'start') : undefined
    const downloadAt = now + (preflight?.laterMs ?? 0)
    const startAt = downloadAt + this.#share(id, run, 'download', DOWNLOAD_SHARE) + slowness(download)
    const startsAt = startAt + this.#share(id, run, 'start', 1 - PREFLIGHT_SHARE - DOWNLOAD_SHARE) + slowness(start)
    const fails = preflight?.fails !== undefined ? { step: 'preflight', at: now, text: preflight.fails }
      : ends(download) ? { step: 'download', at: startAt, text: download?.effect.message ?? FAILURES.download }
      : ends(start) ? { step: 'start', at: startsAt, text: start?.effect.message ?? FAILURES.start } : undefined
    // Where nothing is wrong nobody has to hear of each step of seconds.
    const steps = [
      ...preflight ? [{ step: 'preflight', at: now, text: 'the machine checks what a node needs' }] : [],
      ...(preflight ?? download) && preflight?.fails === undefined ? [{ step: 'download', at: downloadAt, text: 'the machine fetches its programs' }] : [],
      ...(preflight ?? download ?? start) && preflight?.fails === undefined && !ends(download) ? [{ step: 'start', at: startAt, text: 'the kubelet is being started' }] : [],
    ]
    const begins = steps.filter(({ at }) => at < NEVER)
    const member: Membership = { ...admission, admittedAt: now, startsAt: Math.min(startsAt, NEVER), ...begins.length > 0 && { begins }, ...fails && { fails: { ...fails, at: Math.min(fails.at, NEVER) } } }
    // It runs once; of its script nothing but the number of runs is needed from here on.
    delete machine.firstBoot
    delete machine.script
    this.#forgive(id, machine)
    machine.runs = run
    this.#fleet.setMember(id, machine, member)
    for (const { at } of begins) this.#world.schedule('machine', id, at)
    this.#world.schedule('machine', id, member.fails?.at ?? member.startsAt)
    this.#world.settleSoon(1)
  }

  /** The join endpoint refused, in these words where it has any; `later`: it said that it may be asked again. */
  async refused(id: string, later: boolean, text?: string): Promise<void> {
    const machine = this.#fleet.get(id)
    this.#asked.delete(id)
    if (!machine?.script || machine.script.ended) return
    if (later) {
      // What ended while it waited for the answer may have come too late for that.
      const tries = machine.script.contactAt <= this.#turnedAt ? 0 : machine.script.tries
      machine.script.tries = tries + 1
      machine.script.contactAt = this.#world.now() + pauseAfter(AGAIN_MS, tries, SELDOM_AGAIN_MS)
      this.#later.add(id)
      this.#world.schedule('machine', id, machine.script.contactAt)
    } else machine.script.ended = true
    const before = machine.turnedAway, isNew = text !== undefined && (before?.text !== text || (before.failed === true) === later)
    if (isNew) machine.turnedAway = { text, since: this.#world.now(), ...!later && { failed: true as const } }
    this.#fleet.put(id, machine)
    if (isNew) this.#fleet.tell(id)
    this.#world.settleSoon(1)
  }

  /** Something ended by which the answer to those that were told to come later may be another one: they come soon, and as often as at first. */
  turned(): void {
    const now = this.#turnedAt = this.#world.now()
    for (const id of this.#later) {
      const machine = this.#fleet.get(id)
      if (!machine?.script || machine.script.ended || machine.script.tries === 0) this.#later.delete(id)
      else if (machine.script.contactAt > now) {
        machine.script.tries = 1
        machine.script.contactAt = Math.min(machine.script.contactAt, now + AGAIN_MS)
        this.#world.schedule('machine', id, machine.script.contactAt)
        this.#fleet.put(id, machine)
      }
    }
  }

  /** After a start of the process. */
  restore(id: string, { contactAt, tries }: NonNullable<WorldMachine['script']>): void {
    if (tries > 0) this.#later.add(id)
    this.#world.schedule('machine', id, contactAt)
  }

  /** What the machine was answered when it asked whether it is a member. On `removed` it cleans up. */
  async membership(secret: string, answer: 'member' | 'removed' | 'unknown'): Promise<void> {
    const id = this.#machineOfSecret.get(secret), machine = id === undefined ? undefined : this.#fleet.get(id)
    if (id === undefined || !machine?.member) return
    this.#asking.delete(id)
    const { asksAt: _, ...member } = machine.member
    if (answer === 'removed') this.#fleet.setMember(id, machine, undefined)
    else if (answer === 'member') this.asksLater(id, machine, (member.asks ?? 0) + 1)
    else this.#fleet.setMember(id, machine, member)
    this.#world.settleSoon(1)
  }

  /** It lost its Node object or its cluster, and will ask. */
  asksLater(id: string, machine: WorldMachine, asks = 0): void {
    if (!machine.member) return
    const pause = pauseAfter(this.#world.draw.within(ASKS, 'machines', 'membership', id, asks), asks, SELDOM_ASK_MS)
    this.#fleet.setMember(id, machine, { ...machine.member, asks, asksAt: this.#world.now() + pause })
    this.#world.schedule('machine', id, machine.member.asksAt)
  }

  /** Somebody else answers from now on: every contact that waits for its answer is made again. */
  askAgain(): void {
    for (const id of [...this.#asked.keys(), ...this.#asking, ...this.#reporting]) this.#world.schedule('machine', id, this.#world.now())
    this.#asked.clear()
    this.#asking.clear()
    this.#reporting.clear()
  }

  secretOf(id: string): string {
    return this.#world.draw.secret(64, 'machine-secret', id)
  }

  #contact(id: string, machine: WorldMachine, token: string, contactAt: number): void {
    const fault = machine.script?.heldUp ? undefined : this.#strike(id, machine, 'contact'), laterMs = slowness(fault)
    if (ends(fault) || (laterMs > 0 && machine.script)) return this.#holdUp(id, machine, fault, laterMs)
    this.#asked.set(id, contactAt)
    this.#world.tell({ kind: 'Join', machineId: id, run: machine.script?.run ?? 1, token, hostname: machine.name, architecture: 'amd64', secret: this.secretOf(id), address: machine.address })
  }

  /** Nobody can be told by the machine itself; its console shows it. */
  #holdUp(id: string, machine: WorldMachine, fault: Fault | undefined, laterMs: number): void {
    const since = this.#world.now()
    machine.stuck = { step: 'contact', since, ...ends(fault) ? { text: fault?.effect.message ?? FAILURES.contact, failed: true } : { text: 'it asks the join endpoint and has no answer' } }
    if (ends(fault)) this.interrupt(machine)
    else if (machine.script) {
      machine.script.contactAt = Math.min(since + laterMs, NEVER)
      machine.script.heldUp = true
      this.#world.schedule('machine', id, machine.script.contactAt)
    }
    this.#fleet.put(id, machine)
    this.#fleet.tell(id)
  }

  /** What stood in the way of a script that begins anew, or got on, stands there no more. */
  #forgive(id: string, machine: WorldMachine): void {
    if (!machine.stuck && !machine.turnedAway) return
    delete machine.stuck
    delete machine.turnedAway
    this.#fleet.tell(id)
  }

  #reportBegun(id: string, machine: WorldMachine, member: Membership, now: number): void {
    const due = member.begins?.filter(({ at }) => at <= now) ?? []
    if (due.length === 0) return
    for (const { step, text } of due) this.#report(id, member, 'progress', step, text)
    const { begins, ...rest } = member, later = begins?.filter(({ at }) => at > now) ?? []
    this.#fleet.setMember(id, machine, { ...rest, ...later.length > 0 && { begins: later } })
  }

  #ask(id: string): void {
    const secret = this.secretOf(id)
    this.#asking.add(id)
    this.#machineOfSecret.set(secret, id)
    this.#world.tell({ kind: 'Membership', secret })
  }

  /** Told until it was heard: a machine goes on reporting what it could not report. */
  #reportFailure(id: string, member: Membership, fails: NonNullable<Membership['fails']>): void {
    if (this.#reporting.has(id)) return
    this.#reporting.add(id)
    this.#report(id, member, 'failed', fails.step, fails.text, () => {
      this.#reporting.delete(id)
      const machine = this.#fleet.get(id)
      if (machine?.member?.admittedAt === member.admittedAt && machine.member.fails) this.#fleet.setMember(id, machine, { ...machine.member, fails: { ...machine.member.fails, told: true } })
    })
  }

  #report(id: string, { clusterId, nodeName }: Membership, outcome: 'progress' | 'failed', step: string, text: string, heard?: () => void): void {
    this.#world.tell({ kind: 'Report', secret: this.secretOf(id), clusterId, nodeName, outcome, step, text }, heard)
  }

  #strike(id: string, machine: WorldMachine, step: string): Fault | undefined {
    return this.#faults.strike('machines', step, targetOfMachine(id, machine))
  }

  #share(id: string, run: number, step: string, share: number): number {
    return Math.round(this.#world.draw.within(this.#durations.join, 'machines', step, id, run) * share)
  }
}

/** Of most nodes nothing is said, and there are a hundred thousand. */
function saysAnything({ labels, taints, cordoned }: Beginning): boolean {
  return labels.length > 0 || taints.length > 0 || cordoned === true
}

/** Doubling up to a bound, and by an eighth from there on: a machine that stays a member for years without its Node object, or is told to come later for years, is no work. */
function pauseAfter(first: number, times: number, seldom: number): number {
  const doubles = Math.ceil(Math.log2(seldom / first))
  return times < doubles ? first * 2 ** times : Math.floor(seldom * LONGER_BY ** Math.min(times - doubles, MOST_LONGER))
}

const FAILURES = { preflight: 'The machine does not have what a node needs', contact: 'The join endpoint gave no answer', download: 'curl: (18) transfer closed with outstanding read data remaining', start: 'The kubelet ended at its start: exit status 1' }

export function ends(fault: Fault | undefined): boolean {
  return fault?.effect.type === 'fail' || fault?.effect.type === 'stutter'
}

/** How much longer it takes: what hangs without an end ends never. */
export function slowness(fault: Fault | undefined): number {
  if (fault?.effect.type === 'slow') return fault.effect.for ?? 0
  return fault?.effect.type === 'hang' || fault?.effect.type === 'silent' ? fault.effect.for ?? NEVER : 0
}
