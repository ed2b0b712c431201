import { sameAsLedger } from './oracle/at-rest.ts'
import { idOf, shownBy, type Item } from './oracle/view.ts'
import type { Player } from './player.ts'

/** What is in a world and goes with nothing else; the rest is counted by what it hangs on. */
const COUNTED = ['plane', 'machine', 'outside', 'node', 'inside']

/** What a region has come to, by names and counts: ids are those of one run. */
export type End = Readonly<Record<string, readonly string[]>>

/** Looks at everything: what has come of it, and what is wrong with it. */
export async function endOf(player: Player): Promise<{ readonly end: End; readonly wrong: readonly string[] }> {
  const wrong = await player.check()
  const world = await player.region.world()
  const { clusters, pools, nodes, addons, machines, ledger } = player.view
  const names = new Map([...clusters, ...pools].map(item => [idOf(item), text(item['Name'])]))
  const end = {
    clusters: sorted(clusters, item => `${text(item['Name'])} ${shownBy(item)}`), pools: sorted(pools, item => `${text(item['Name'])} ${shownBy(item)}`),
    nodes: sorted(nodes, item => `${names.get(text(item['NodePoolId']))} ${shownBy(item)}`), addons: sorted(addons, item => `${text(item['Name'])} ${text(item['Version'])} ${shownBy(item)}`),
    machines: sorted(machines, item => `${item['OwnedBy'] ? 'of a pool' : text(item['Name'])} ${text(item['Power'])} ${text(item['Link'])}`),
    ledger: ledger.map(entry => `${entry.Kind} ${entry.State} of ${entry.Owner.Kind}`).sort(),
    world: COUNTED.map(kind => `${world.filter(one => one.kind === kind).length} of ${kind}`),
  }
  return { end, wrong: [...wrong, ...sameAsLedger(player.view, world)] }
}

function sorted(items: readonly Item[], say: (item: Item) => string): readonly string[] {
  return items.map(say).sort()
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
