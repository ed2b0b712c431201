import { withFacts } from '#model/with-facts.ts'
import type { MachineSecret } from '#ports/store.ts'
import type { JoinOptions } from './join-options.ts'
import { type Form, machineSecretOf } from './join-machine.ts'
import { CERTIFICATE_MS, overlayOwner } from './admit-machine.ts'
import { JoinRefused } from './refused.ts'
import { assignments } from './script-text.ts'
import { letIn, tenantAddress } from './tenant.ts'

/** What of the options is needed to hear what a machine says of itself. */
export type ReportOptions = Pick<JoinOptions, 'region' | 'store' | 'clock'>

const NOTE_EVERY_MS = 30 * 86_400_000

/** What a machine says of its installation: how far it is, or the step that failed and why. */
export interface MachineReport {
  readonly secretHash: string
  readonly kind: 'progress' | 'failure'
  readonly step: string
  readonly text: string
}

/** Takes what a machine says of its installation. A node that was Ready once is past such failures. */
export async function takeReport(options: ReportOptions, form: Form): Promise<string> {
  const secret = await knownSecret(options, form)
  const step = (form.get('step') ?? '').replaceAll(/[^a-z-]/g, '').slice(0, 40)
  const text = (form.get('text') ?? '').replaceAll(/\p{Cc}/gu, ' ').trim().slice(0, 1000)
  if (!step || !text) throw new JoinRefused(400, 'A report has a step and a text.')
  const kind = form.get('kind')
  if (kind !== 'progress' && kind !== 'failure') throw new JoinRefused(400, 'A report is of the kind progress or failure.')
  await writeReports(options, [{ secret, report: { secretHash: secret.secretHash, kind, step, text } }])
  return 'ok\n'
}

/** Takes what many machines say, in their order, in one transaction; what machines say that are not known here is left out. */
export async function takeReports(options: ReportOptions, reports: readonly MachineReport[]): Promise<void> {
  const secrets = new Map((await options.store.machineSecretsByHash([...new Set(reports.map(({ secretHash }) => secretHash))])).map(secret => [secret.secretHash, secret]))
  const known = reports.flatMap(report => {
    const secret = secrets.get(report.secretHash)
    return secret ? [{ secret, report }] : []
  })
  if (known.length > 0) await writeReports(options, known)
}

async function writeReports({ store, region, clock }: ReportOptions, said: readonly { readonly secret: MachineSecret; readonly report: MachineReport }[]): Promise<void> {
  const now = clock.now()
  await store.write(now, async (tx) => {
    const nodes = new Map((await tx.lockNodes([...new Set(said.map(({ secret }) => secret.nodeId))])).map((node) => [node.id, node]))
    for (const { secret, report: { kind, step, text } } of said) {
      const node = nodes.get(secret.nodeId)
      if (!node || node.facts.deletion) continue
      if (kind === 'failure' && node.facts.firstReadyAt !== undefined) continue
      // Who gets on was let in, whatever another script on the machine was refused with. What its provider tells it takes back itself.
      const facts = withFacts(node.facts, kind === 'failure' ? { initialiseFailed: { step, text, at: now } } : { progress: { step, text, at: now }, ...node.facts.turnedAway?.heard && { turnedAway: undefined } })
      await tx.changeNode(node.id, { facts }, { evidence: [{ observer: `machine ${node.spec.name}`, source: `onboarding script, step ${step}`, observedAt: now, fact: text }] })
      nodes.set(node.id, { ...node, facts })
      // Progress is told by the rules alone; nothing is to be done about it.
      if (kind === 'failure') await tx.enqueue({ kind: 'node', id: node.id, region })
    }
  })
}

/** `member` or `removed`; a secret that is not known here is `unknown`, on which machines carry on. */
export async function tellMembership(options: ReportOptions, form: Form): Promise<string> {
  const secret = await options.store.findMachineSecret(machineSecretOf(form))
  if (!secret) return 'unknown'
  if (secret.state !== 'member') return 'removed'
  await noteRenewals(options, secret)
  return 'member'
}

/**
 * A kubelet renews its certificate by itself, so a machine that still asks may hold one that ends a year from now, and its name must stay reserved as long
 * after a removal. Written once a month a machine.
 */
async function noteRenewals({ store, clock }: ReportOptions, secret: MachineSecret): Promise<void> {
  const until = clock.now() + CERTIFICATE_MS
  if (until - (secret.certificateUntil ?? 0) < NOTE_EVERY_MS) return
  await store.write(clock.now(), async (tx) => {
    // Whoever removes the node holds this lock, so that a removal is never undone.
    if (!(await tx.lockCluster(secret.clusterId))) return
    const current = await tx.findMachineSecret(secret.secretHash)
    if (current?.state === 'member') await tx.putMachineSecret({ ...current, certificateUntil: until })
  })
}

/** A removed machine cleaned up: its name is free. A member that only reset itself keeps its node until somebody deletes it. */
export async function takeConfirmation(options: ReportOptions, form: Form): Promise<string> {
  const secret = await options.store.findMachineSecret(machineSecretOf(form))
  if (!secret) return 'unknown'
  if (secret.state === 'member') return `The node ${secret.nodeName} is still listed; delete it to free its name.\n`
  const now = options.clock.now()
  await options.store.write(now, async (tx) => {
    await tx.putMachineSecret({ ...secret, state: 'confirmed', changedAt: now })
    await tx.releaseAddress(options.region, overlayOwner(secret.secretHash))
  })
  return 'confirmed\n'
}

/** For a machine that slept past its certificate's end: a new bootstrap token, if it is still a member. */
export async function renewMachine(options: JoinOptions, form: Form): Promise<string> {
  const { store, tenantCluster } = options
  const secret = await knownSecret(options, form)
  if (secret.state !== 'member') throw new JoinRefused(410, `This machine was removed from its cluster as the node ${secret.nodeName}.`)
  const cluster = await store.findCluster(secret.clusterId)
  const node = await store.findNode(secret.nodeId)
  if (!cluster || !node || node.facts.deletion) throw new JoinRefused(409, `The node ${secret.nodeName} is being deleted, or gone.`)
  const token = await letIn(store, tenantCluster, await tenantAddress(options, cluster), cluster, secret.nodeName)
  return `${assignments({ EH_BOOTSTRAP_TOKEN: token })}\n`
}

/** The secret of a machine that is known here. */
export async function knownSecret(options: ReportOptions, form: Form): Promise<MachineSecret> {
  const secret = await options.store.findMachineSecret(machineSecretOf(form))
  if (!secret) throw new JoinRefused(403, 'This machine is not known here.')
  return secret
}
