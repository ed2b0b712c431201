import { DEADLINES } from '../status/deadlines.ts'
import { rfc3339Seconds, spanText } from '../time.ts'
import type { NodeFacts } from './record.ts'
import type { NodeSight } from './sight.ts'

/** Which step of its initialisation a machine is at, since when, and what is known of it: a clause. */
interface Step {
  readonly name: string
  readonly since: number
  readonly text: string
}

const MACHINE_WAS_THERE = 'its machine was there'

/** A failed step, with how long it took and how long all of it did until then. A login happens on no machine: nobody may have been reached at the address, or there may be none. */
export function failedStep({ facts: { initialiseFailed, progress, machineExistsAt, turnedAway } }: NodeSight): string {
  const { step, at, text } = initialiseFailed ?? { step: '', at: 0, text: '' }
  const isLogin = step === 'login'
  const began = progress?.step === step && progress.at <= at ? `${spanText(at - progress.at)} after it had begun` : undefined
  const all = machineExistsAt !== undefined && machineExistsAt <= at ? `${spanText(at - machineExistsAt)} after ${isLogin ? 'it had begun' : MACHINE_WAS_THERE}` : undefined
  const took = [began, all].filter(one => one !== undefined).join(' and ')
  const then = turnedAway && turnedAway.since > at ? `; ${refusalOf(turnedAway)}` : ''
  return `The step ${step} failed ${isLogin ? '' : 'on the machine '}at ${rfc3339Seconds(at)}${took === '' ? '' : `, ${took}`}: ${text}${then}`
}

function refusalOf({ text, since, failed }: NonNullable<NodeFacts['turnedAway']>): string {
  return `the join endpoint ${failed ? `refused its onboarding script at ${rfc3339Seconds(since)}` : `tells its onboarding script since ${rfc3339Seconds(since)} to come again later`}: ${text}`
}

/** The step that had not ended when its time was over, with how long it had taken by then. */
export function overdueStep(seen: NodeSight): string {
  const { facts: { machineExistsAt = seen.now, pausedMs, turnedAway, login } } = seen
  const step = stepUnderWay(seen), late = `It was no Ready member ${spanText(DEADLINES.nodeInitialisation)} after ${login ? 'it was asked for' : MACHINE_WAS_THERE}`
  if (turnedAway) return `${late}; ${refusalOf(turnedAway)}`
  const took = machineExistsAt + pausedMs + DEADLINES.nodeInitialisation - step.since
  // One that goes on after its time has begun its step since.
  return took < 0 ? `${late}; ${underWay(step)}` : `${late}: ${step.name}, begun at ${rfc3339Seconds(step.since)}, had not ended after ${spanText(took)}; ${step.text}`
}

/** How far one is that has time; its machine may not be there yet. */
export function stepSoFar(seen: NodeSight): string {
  const { machineExistsAt, login, progress, turnedAway } = seen.facts
  // Whatever it reported, or its record says of its admission, was before that.
  if (turnedAway) return refusalOf(turnedAway)
  return machineExistsAt === undefined && !login && !progress ? 'its machine has reported no progress' : underWay(stepUnderWay(seen))
}

function underWay({ name, since, text }: Step): string {
  return `${name} is under way since ${rfc3339Seconds(since)}: ${text}`
}

function stepUnderWay(seen: NodeSight): Step {
  const { progress, login, machineExistsAt = seen.facts.claimedAt } = seen.facts
  if (login?.loggedInAt !== undefined) return { name: 'the step login', since: login.since, text: 'its machine was logged in to, and the onboarding script is being started' }
  if (login) return { name: 'the step login', since: login.since, text: 'its machine is being logged in to' }
  if (isHeardOfSince(seen.facts, progress?.at)) return { name: 'the step join', since: progress?.step === 'join' ? progress.at : seen.facts.ready?.since ?? machineExistsAt, text: `its kubelet was started, and ${whyNotReady(seen.facts)}` }
  const text = progress?.text ?? 'its machine has reported no progress'
  return { name: progress ? `the step ${progress.step}` : 'its boot or its first contact', since: progress?.at ?? machineExistsAt, text: `${text}${powerOff(seen.facts)}` }
}

/** Nothing goes on on it then. */
function powerOff({ power }: NodeFacts): string {
  return power?.state === 'off' ? `, and the power of machine ${power.machine} is off since ${at(power.since)}` : ''
}

/** A Node object of this run of its script, of which was heard since that report: it says how far the machine is even where a report was lost on the way, or left out because the node was Ready in the same moment. */
function isHeardOfSince({ ready, machineExistsAt }: NodeFacts, reportedAt = 0): boolean {
  // Kubernetes marks one Unknown long after it was last heard.
  const heardAt = ready?.status === 'Unknown' ? ready.leaseRenewedAt ?? ready.lastHeartbeatAt : ready?.since
  return heardAt !== undefined && heardAt >= Math.max(reportedAt, machineExistsAt ?? 0)
}

/** Of one with a Node object. */
function whyNotReady({ ready, power }: NodeFacts): string {
  if (power?.state === 'off') return `the power of machine ${power.machine} is off since ${at(power.since)}`
  if (power?.lastOnAt !== undefined && ready !== undefined && ready.since < power.lastOnAt) return `nothing was heard from it since its machine was switched on at ${at(power.lastOnAt)}`
  if (ready?.status === 'Unknown') return `its heartbeats stopped: ${heartbeats({ ready })}`
  return `says since ${at(ready?.since)} that it is not ready: ${ready?.message || ready?.reason || 'no message'}`
}

/** The last renewal of its Lease is its last heartbeat; a full status comes every few minutes only, so that one's time is told as what it is. */
export function heartbeats({ ready }: Pick<NodeFacts, 'ready'>): string {
  const noticed = `Kubernetes marked it Unknown at ${at(ready?.since)}`
  if (ready?.leaseRenewedAt !== undefined) return `the last one came at ${at(ready.leaseRenewedAt)}, and ${noticed}`
  const report = ready?.lastHeartbeatAt === undefined ? '' : `; its last full status report came at ${at(ready.lastHeartbeatAt)}`
  return `${noticed}${report}`
}

/** An instant as people read it. */
export function at(instant: number | undefined): string {
  return instant === undefined ? 'an unknown time' : rfc3339Seconds(instant)
}
