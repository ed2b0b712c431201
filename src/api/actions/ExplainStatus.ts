import { Type } from 'typebox'
import { refuse } from '#model/errors/catalogue.ts'
import { rfc3339Milliseconds } from '#model/time.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { alike, causeChain } from '../explain/cause-chain.ts'
import { circumstancesOf } from '../explain/circumstances.ts'
import { exitsOf } from '../explain/exits.ts'
import { findExplained, type Explained } from '../explain/explained.ts'
import { evidenceToWire, pairToWire, resourceToWire } from './own-wire.ts'
import { Id } from './shapes.ts'

export const ExplainStatus = defineAction({
  name: 'ExplainStatus',
  version: OWN_VERSION,
  kind: 'read',
  says: 'Says why a resource shows its status: who saw what when, which rule, the causes back to the first one, and the ways out.',
  schema: Type.Object({ Id }),
  run: async (context, body) => {
    const explained = await findExplained(context, body.Id)
    if (!explained) return refuse('NotFound.{Resource}', { Resource: 'Resource', id: body.Id })
    const circumstances = await circumstancesOf(context, explained.records)
    const chain = await causeChain(context, explained)
    return {
      ...linkToWire(explained),
      CauseChain: chain.map(linkToWire),
      Alike: (await alike(context, explained, chain)).map(resourceToWire),
      Exits: exitsOf(explained, context.now, circumstances).map(exit => ({ By: exit.by, What: exit.what })),
      ...explained.looksAgainAt !== undefined && { LooksAgainAt: rfc3339Milliseconds(explained.looksAgainAt) },
      ...explained.staleSince !== undefined && { StaleSince: rfc3339Milliseconds(explained.staleSince) },
    }
  },
})

function linkToWire(link: Explained): object {
  return {
    Resource: resourceToWire(link.resource),
    Status: pairToWire(link.status),
    Since: rfc3339Milliseconds(link.since),
    Rule: link.rule,
    Because: link.because,
    Evidence: link.evidence.map(evidenceToWire),
  }
}
