import type { JoinOptions } from './join-options.ts'
import { letMachineIn } from './let-machine-in.ts'
import { machineFiles, servedArchitecture } from './machine-files.ts'
import { nodeSettings, overlaySettings } from './node-settings.ts'
import { findInvitation, hashOf, type Invitation } from './onboarding-token.ts'
import { JoinRefused } from './refused.ts'
import { assignments } from './script-text.ts'
import { noteLetIn, noteTurnedAway } from './turned-away.ts'

export type Form = ReadonlyMap<string, string>

/** A machine secret is 32 random bytes in hex; anything shorter could be guessed. */
export function machineSecretOf(form: Form): string {
  const secret = form.get('secret') ?? ''
  if (!/^[0-9a-f]{64}$/.test(secret)) throw new JoinRefused(400, 'The request carries no machine secret of 64 hexadecimal digits.')
  return hashOf(secret)
}

/** First contact of a machine: its node row, its place among the members, its token, and everything its script must know, as lines for a shell. */
export async function joinMachine(options: JoinOptions, form: Form, address: string): Promise<string> {
  const { store, region, clock } = options
  const now = clock.now()
  const secretHash = machineSecretOf(form)
  const invitation = await findInvitation(store, region, form.get('token') ?? '', now)
  try {
    const words = await letIn(options, form, address, { now, secretHash, invitation })
    await noteLetIn(options, words.nodeId)
    return words.text
  } catch (error) {
    if (error instanceof JoinRefused) {
      // The machine is told all the same.
      await noteTurnedAway(options, invitation, { secretHash, beganAt: now, isLast: form.get('tries-left') === '0' }, error).catch((cause: unknown) => { options.log.warn({ error: String(cause) }, 'Noting that a machine was refused did not succeed') })
    }
    throw error
  }
}

async function letIn(options: JoinOptions, form: Form, address: string, { now, secretHash, invitation }: { readonly now: number; readonly secretHash: string; readonly invitation: Invitation }): Promise<{ readonly nodeId: string; readonly text: string }> {
  const { store, components } = options
  const architecture = servedArchitecture(form.get('architecture') ?? '')
  const before = await store.findCluster(invitation.clusterId)
  if (!before) throw new JoinRefused(403, `The cluster of ${invitation.kind === 'script' ? 'the onboarding script' : 'the node'} ${invitation.name} is gone.`)
  const overlay = options.overlay?.isOutside(address) ? options.overlay : undefined
  const files = await machineFiles(components, before.spec.servedVersion, architecture, overlay !== undefined)
  const run = plain(form.get('run'))
  const machine = { secretHash, hostname: form.get('hostname') ?? '', ...run !== '' && { run }, architecture, machineId: plain(form.get('machine-id')), kernel: plain(form.get('kernel')), address, ...(overlay ? { overlayPool: overlay.pool } : {}) }

  const { cluster, nodePool, nodeId, nodeName, nodeAddress, begins, tenant, bootstrapToken: token } = await letMachineIn(options, invitation, machine)
  const settings = nodeSettings(cluster, nodePool, begins, { registry: options.registry, pauseImage: options.pauseImage ?? 'pause:3.10', clusterDomain: options.clusterDomain ?? 'cluster.local' }, tenant.pki.caCert, files)
  return { nodeId, text: `${assignments({ ...settings, ...(overlay ? overlaySettings(overlay, nodeAddress) : {}), EH_NODE_ID: nodeId, EH_NODE_NAME: nodeName, EH_BOOTSTRAP_TOKEN: token, EH_NOW: String(Math.floor(now / 1000)) })}\n` }
}

const plain = (text: string | undefined): string => (text ?? '').replaceAll(/[^0-9A-Za-z._+-]/g, '').slice(0, 80)
