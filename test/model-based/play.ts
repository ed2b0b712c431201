import { CALLS_OF_USERS, type Command } from './calls-of-users.ts'
import { sameAsLedger, unrest } from './oracle/at-rest.ts'
import { idOf, shownBy } from './oracle/view.ts'
import { Player, type Step } from './player.ts'
import { RegionUnderTest } from './region-under-test.ts'
import { WHAT_BEFALLS } from './what-befalls.ts'

export const COMMANDS: Readonly<Record<string, Command>> = { ...CALLS_OF_USERS, ...WHAT_BEFALLS }

/** A story that did not end as the rules say, told in plain words. */
export class StoryWrong extends Error {
  constructor(seed: number, told: readonly string[], wrong: readonly string[]) {
    super(`In the region with seed ${seed}:\n${told.map((sentence, number) => `  ${number + 1}. ${sentence}`).join('\n')}\n  and then:\n${wrong.map(sentence => `  ✗ ${sentence}`).join('\n')}`)
  }
}

/** Plays the steps in a fresh region, looks at everything after each, then lets everything be cured and come to rest, and at last has everything deleted. The answer is how many of the steps found something to be done to. */
export async function play(seed: number, steps: readonly Step[], stats?: Map<string, number>): Promise<number> {
  const region = await RegionUnderTest.open(seed)
  const player = new Player(region)
  let done = 0
  try {
    for (const step of steps) {
      const told = await COMMANDS[step.does]?.run(player, step)
      if (told === undefined) continue
      done++
      const deaths = region.deaths
      player.told.push(told)
      await judge(seed, player)
      if (region.deaths > deaths) player.told.push('(the server died and came back)')
    }
    region.spare()
    await comeToRest(seed, player)
    await endEverything(seed, player)
    return done
  } finally {
    for (const [action, count] of player.accepted) stats?.set(action, (stats.get(action) ?? 0) + count)
    for (const change of player.rows) stats?.set(change, (stats.get(change) ?? 0) + 1)
    await region.close()
  }
}

async function judge(seed: number, player: Player, more: readonly string[] = []): Promise<void> {
  const wrong = [...more, ...await player.check()]
  if (wrong.length > 0) throw new StoryWrong(seed, player.told, wrong)
}

/** Every cause ends: faults, arrears, limits, images and machines that are off; then time passes, more than any back-off lasts. */
async function comeToRest(seed: number, player: Player): Promise<void> {
  player.told.push('everything is cured: faults, money, limits, images, pods of users and machines; two days pass')
  await player.call('ClearFault', { All: true })
  player.faults = 0
  player.cutAnswers = false
  await player.call('SetBalance', { Unlimited: true })
  for (const Kind of ['Machine', 'LoadBalancer', 'SecurityGroup', 'Nat']) for (const action of ['SetStock', 'SetQuota']) await player.call(action, { Kind, Unlimited: true })
  for (const Name of ['metrics-server', 'ingress-nginx-controller', 'log-collector', 'prometheus-agent']) await player.call('SetImage', { Name, Present: true })
  for (const machine of player.view.machines.filter(one => !one['OwnedBy'])) await player.call('SetMachine', { Id: idOf(machine), Power: 'on', Link: 'up' })
  for (const machine of player.view.machines.filter(one => one['OwnedBy'] && (one['Link'] === 'cut'))) await player.call('SetMachine', { Id: idOf(machine), Link: 'up' })
  await player.call('SetClock', { Step: '20m' })
  // Clusters that stood still take calls again.
  for (const ClusterId of player.busy) await player.call('SetWorkload', { ClusterId, Name: 'batch', Pods: 0 })
  for (const { clusterId, kind, name } of player.objects) {
    const object = { ClusterId: clusterId, Kind: kind, ...kind === 'Deployment' && { Namespace: 'kube-system' }, Name: name }
    if (kind !== 'Deployment') await player.call('PutObject', { ...object, Finalizers: [] })
    await player.call('DeleteObject', object)
  }
  for (const Step of ['1m', '10m', '2h', '1d', '1d']) {
    await player.call('SetClock', { Step })
    await judge(seed, player)
  }
  await judge(seed, player, [...sameAsLedger(player.view, await player.region.world()), ...unrest(player.view, await player.region.world())])
}

/** What is deleted, and deleted again where it was refused or held, is gone; what is left is a user's own or explained. */
async function endEverything(seed: number, player: Player): Promise<void> {
  player.told.push('everything is deleted, again where that was refused')
  for (let again = 0; again < 4 && player.view.clusters.length > 0; again++) {
    for (const cluster of player.view.clusters) await player.call('DeleteCluster', { Id: idOf(cluster), Force: true, CascadingDeleteResources: ['All'] })
    await player.call('SetClock', { Step: '30m' })
    await judge(seed, player)
  }
  const left = [...player.view.clusters, ...player.view.pools, ...player.view.nodes, ...player.view.addons].map(item => `${String(item['Name'])} is still there as ${shownBy(item)}, though its deletion was asked for again and again`)
  await judge(seed, player, [...left, ...sameAsLedger(player.view, await player.region.world())])
}
