import { test } from 'node:test'
import { play } from './play.ts'
import type { Step } from './player.ts'

/** Stories that once ended otherwise than the rules say, as short as they could be made. A step is its name, or its name with the numbers that choose: what is chosen from is only added to at its end. */
// oxfmt-ignore
const FOUND: readonly (readonly [what: string, seed: number, steps: readonly (string | readonly [does: string, a?: number, b?: number, c?: number])[]])[] = [
  ['a machine that is removed while its account is in arrears is not shut down for arrears for ever', 0, ['createCluster', ['time', 3], ['createElasticPool', 0, 0, 13], ['time', 3], 'balance', ['time', 7], 'removeMachine']],
  ['what a fault let be seen wrongly of an add-on is looked at again when the fault ends', 159951, ['createCluster', ['time', 3], ['createElasticPool', 0, 2, 3], ['time', 3, 4, 5], ['fault', 33, 47, 27], ['removeMachine', 23, 40], ['time', 19]]],
  ['an add-on whose cluster cannot be removed has a way out', 456203, ['createCluster', ['time', 3], ['createElasticPool', 0, 2, 3], ['fault', 11, 46, 28], ['time', 6], ['deleteCluster', 6, 3]]],
  ['a pool that orders no machines does not show for ever that a server was refused', 2, ['createCluster', ['time', 3], ['balance', 5], 'createStaticPool', ['time', 44], 'addServer']],
  ['a machine whose provider does not pull its plug is no error of ours', 999995, ['createCluster', ['time', 3], ['createElasticPool', 0, 2, 3], ['time', 3], ['fault', 8, 4, 47], ['machine', 1, 32]]],
  ['what a cluster was to have outside and was never made is not held in the ledger', 352493, [['fault', 28, 31, 23], ['createCluster', 2, 0], ['time', 5]]],
  ['a cluster is degraded no longer once its DNS, which found no room, has started', 9, ['createCluster', ['time', 3], 'createStaticPool', ['joinByScript', 0, 5, 6], ['workload', 0, 3], ['time', 5]]],
  ['a machine that its provider says it removed and did not is not forgotten', 807609, ['createCluster', ['time', 3], ['fault', 1, 6, 1], ['createElasticPool', 0, 1, 0], ['deletePool', 0, 0]]],
  ['an add-on whose pods are ready again with their node is Running again', 256286, ['createCluster', ['time', 3], 'createStaticPool', ['joinByScript', 0, 1], ['time', 3], ['createAddon', 0, 2], ['time', 3], ['machine', 0, 2], ['time', 9], ['machine', 0, 1], ['time', 4]]],
  ['a control plane that its host says it made and did not is not held in the ledger', 3, [['fault', 10, 5, 3], 'createCluster', ['time', 7]]],
  ['a cluster is degraded no longer once its DNS is back, which only its pods, and no node, told', 8, [['createCluster', 7, 0, 16], ['time', 26, 10, 38], ['createElasticPool', 1, 8, 30], ['time', 45, 19, 25], ['resizePool', 1, 1, 3], ['cordon', 15, 36, 18], ['fault', 34, 34, 43], ['time', 12, 17, 40], ['resizePool', 34, 47, 22], ['time', 37, 17, 32]]],
  ['a machine that went, though nobody could see it go, is not kept when its node is deleted once more without it', 366501, [['createCluster', 0, 0, 1], ['time', 3, 1, 2], ['createElasticPool', 0, 2, 3], ['createStaticPool', 0, 3, 4], ['time', 3, 4, 5], ['joinByScript', 0, 5, 6], ['createAddon', 0, 6, 7], ['time', 3, 7, 8], ['deleteNode', 37, 1, 37], ['fault', 37, 37, 32], ['scaleDown', 5, 36, 39], ['resizePool', 34, 24, 43], ['time', 6, 35, 28], ['deleteNode', 46, 15, 19]]],
  ['a node that shows Failed because its machine could not be looked at for long leaves when that machine is refused', 3, ['createCluster', ['time', 3], ['limits', 0, 1, 1], ['fault', 2, 1, 3], ['createElasticPool', 0, 3, 3], ['time', 5], ['time', 5]]],
  ['what a stop has pushed down stays so while its cluster does not start after the payment', 4, ['createCluster', ['time', 3], 'createStaticPool', ['createAddon', 0, 2], ['time', 3], 'balance', ['time', 7], ['fault', 15, 0, 3], ['balance', 2], ['time', 6]]],
]

for (const [what, seed, steps] of FOUND) {
  test(what, async () => { await play(seed, steps.map(step => (typeof step === 'string' ? stepOf(step) : stepOf(...step)))) })
}

function stepOf(does: string, a = 0, b = 0, c = 0): Step {
  return { does, a, b, c }
}
