import { parseAddress } from '#model/cidr.ts'
import { type Overlay, OverlayAway, OverlayKeyRefused, OverlayRangeTaken } from '#ports/overlay.ts'
import { ComponentMissing } from '#ports/components.ts'
import type { JoinOptions } from './join-options.ts'
import type { Form } from './join-machine.ts'
import { knownSecret } from './machine-reports.ts'
import { JoinRefused } from './refused.ts'
import { assignments } from './script-text.ts'

/** Papers for the overlay, for a member that is outside: at its join, and again whenever those that it has are no longer right. `same`: they are. */
export async function giveOverlayPapers(options: JoinOptions, form: Form): Promise<string> {
  const { store, overlay } = options
  const secret = await knownSecret(options, form)
  if (secret.state !== 'member') throw new JoinRefused(410, `This machine was removed from its cluster as the node ${secret.nodeName}.`)
  const [cluster, node] = await Promise.all([store.findCluster(secret.clusterId), store.findNode(secret.nodeId)])
  if (!cluster || !node || node.facts.deletion) throw new JoinRefused(409, `The node ${secret.nodeName} is being deleted, or gone.`)
  const { address } = node.spec
  if (!overlay || address === undefined || !isOverlayAddress(overlay, address)) throw new JoinRefused(409, `The node ${secret.nodeName} is not one outside of the region's network; run its onboarding script again.`)
  try {
    const papers = await overlay.papersFor({ clusterId: cluster.id, secretHash: secret.secretHash, address, podCidrs: cluster.spec.podCidrs, publicKey: form.get('public-key') ?? '' }, form.get('have') ?? '')
    if (papers === 'same') return 'same'
    return `${assignments({ EH_OVERLAY_SETTINGS_BASE64: Buffer.from(papers.settings).toString('base64'), EH_OVERLAY_HAVE: papers.have })}\n`
  } catch (error) {
    if (error instanceof OverlayKeyRefused) throw new JoinRefused(400, error.message, { cause: error })
    if (error instanceof OverlayRangeTaken) throw new JoinRefused(409, error.message, { cause: error })
    if (error instanceof OverlayAway || error instanceof ComponentMissing) throw new JoinRefused(503, error.message, { cause: error })
    throw error
  }
}

/** Whether the overlay gives such addresses. */
export function isOverlayAddress({ pool }: Overlay, address: string): boolean {
  const [number, first, last] = [address, pool.first, pool.last].map(parseAddress)
  return number !== undefined && first !== undefined && last !== undefined && number >= first && number <= last
}
