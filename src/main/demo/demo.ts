import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'
import { credentialsFile, type Credentials } from '../account.ts'
import { openComponents } from '../components.ts'
import type { Configuration } from '../configuration.ts'
import { kubectlTells, webManifest } from './workload.ts'
import { findServer } from '../server-mark.ts'
import { Audience } from './audience.ts'
import { Story } from './story.ts'
import { imageReference } from './images.ts'
import { CLUSTER, MACHINES, takenNames } from './names.ts'
import { keptText, takeAwayOrTell, type Made } from './take-away.ts'

const MINUTE = 60_000

/**
 * The whole story on this machine, told as it happens: cluster, pool, script, machines, nodes, pods, each status with its reason. It takes itself away at
 * the end unless it is kept.
 */
export async function demo(configuration: Configuration, options: { keep: boolean; region: string | undefined }): Promise<number> {
  const code = await ensureUp(configuration)
  if (code !== 0) return code
  const { clientIn, home } = clientsOf(configuration)
  const regions = await clientIn(home).all('ListRegions')
  const region = regions.find(each => options.region === undefined ? each.Default : each.Region === options.region)
  if (!region) {
    process.stderr.write(`edgehold demo: there is no region ${options.region ?? ''} here; there are ${regions.map(each => each.Region).join(', ')}.\n`)
    return 1
  }
  const client = clientIn(region.Region), isReal = region.Kind === 'Local'
  if (!isReal && (await client.call('GetClock', {})).Paused) {
    process.stderr.write(`edgehold demo: the clock of ${region.Region} is paused; ./edgehold clock resume --region ${region.Region} lets it run.\n`)
    return 1
  }
  const taken = await takenNames(client, region.Region)
  if (taken !== undefined) {
    process.stderr.write(`edgehold demo: ${taken}\n`)
    return 1
  }
  const audience = new Audience(), { left } = audience
  const story = new Story(client, audience.tell, { left }), made: Made = { machineIds: [] }
  try {
    if (!isReal) story.say(`On ${region.Region}, a simulated region${options.region === undefined ? ', since real control planes and machines need Linux and root' : ''}: API, rules and records are the real ones; control planes, machines and nodes are invented.`)
    const clusterId = await play(client, story, { isReal, made, left })
    if (isReal) await playPods(client, configuration, story, { clusterId, left })
    else await playPower(client, story, clusterId, made.machineIds)
  } catch (error) {
    if (!left.aborted) throw error
    story.say(options.keep ? 'The demo is broken off.' : 'The demo is broken off; what it made is taken away. Ctrl-C once more leaves it.')
  } finally {
    try {
      if (options.keep) story.say(keptText(made, region.Region))
      else await takeAwayOrTell(client, story, made, region.Region)
    } finally {
      await story.end()
    }
  }
  return audience.end()
}

/** Another story, by its name, in a simulated region that is made for it; `list` names them all. */
export async function demoStory(configuration: Configuration, options: { keep: boolean; story: string }): Promise<number> {
  const { DEMO_STORIES } = await import('./stories.ts')
  const { tellStory } = await import('./tell-story.ts')
  if (options.story === 'list') {
    const audience = new Audience()
    for (const { name, title } of DEMO_STORIES) audience.tell(`${name.padEnd(16)} ${title}`)
    return audience.end()
  }
  const story = DEMO_STORIES.find(each => each.name === options.story)
  if (!story) {
    process.stderr.write(`edgehold demo: there is no story ${options.story}; there are ${DEMO_STORIES.map(each => each.name).join(', ')}.\n`)
    return 1
  }
  const code = await ensureUp(configuration)
  if (code !== 0) return code
  const { clientIn, home } = clientsOf(configuration)
  const audience = new Audience(), { tell, left } = audience
  try {
    await tellStory(clientIn, story, { keep: options.keep, inRegion: home, tell, left })
  } catch (error) {
    if (!left.aborted || left.reason !== error) throw error
  }
  return audience.end()
}

async function ensureUp(configuration: Configuration): Promise<number> {
  if (findServer(configuration.stateDir)) return 0
  const { upDetached } = await import('../up.ts')
  return upDetached(configuration)
}

function clientsOf({ stateDir }: Configuration): { clientIn: (region: string) => EdgeholdClient; home: string } {
  const credentials = JSON.parse(readFileSync(credentialsFile(stateDir), 'utf8')) as Credentials
  const { Endpoint: endpoint, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Region: home } = credentials
  return { home, clientIn: region => new EdgeholdClient({ endpoint, accessKeyId, secretAccessKey, region }) }
}

async function play(client: EdgeholdClient, story: Story, { isReal, made, left }: { readonly isReal: boolean; readonly made: Made; readonly left: AbortSignal }): Promise<string> {
  story.say(isReal ? 'CreateCluster: etcd, API server, controller manager and scheduler of its own, in a network namespace of its own.' : 'CreateCluster: it takes as long as a real one would; its processes are invented.')
  made.begun = true
  const body = {
    ClientToken: randomUUID(), Name: CLUSTER, Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-demo'] },
    PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] },
  }
  const cluster = await story.asked(() => client.call('CreateCluster', body)).catch((error: unknown) => {
    if (error instanceof ApiError) delete made.begun
    throw error
  })
  made.clusterId = cluster.Id
  story.follow(cluster.Id)
  await story.until('Cluster', cluster.Id, 'Running/Ok', 90 * MINUTE)

  story.say('CreateEdgeNodePool, a static one; and an onboarding script, good for one hour.')
  const wanted = { ClusterId: cluster.Id, Name: 'counters', ClientToken: randomUUID() }, pool = await story.asked(() => client.call('CreateEdgeNodePool', wanted))
  await story.until('NodePool', pool.Id, 'Running/Ok', MINUTE)
  const invited = { ClusterId: cluster.Id, NodePoolId: pool.Id, Name: 'counters-script', TTLHours: 1, ClientToken: randomUUID() }
  const { Ids: [onboarding = ''] } = await story.asked(() => client.call('CreateBatchEdgeMachine', invited))
  const [script] = await story.asked(() => client.all('ListBatchEdgeMachine', { Filter: { Ids: [onboarding], NeedBootstrapScript: true } }))
  story.say(`${isReal ? 'Any Linux machine in reach' : 'A machine of this region'} becomes a node by this line:\n    ${String(script?.BootstrapScript ?? '').trim()}`)
  for (const name of MACHINES) {
    story.say(isReal ? `An empty machine ${name} is made on this host, and the script is run on it.` : `A machine ${name} is invented, and runs the script once it is up.`)
    const ordered = { Name: name, ClientToken: randomUUID() }, machine = await story.asked(() => client.call('AddMachine', ordered))
    made.machineIds.push(machine.Id)
    await story.machine(machine.Id, MINUTE)
    // Run twice it makes no second node.
    const ran = await story.asked(() => client.call('SetMachine', { Id: machine.Id, RunScript: onboarding }, { timeoutMs: 10 * MINUTE, signal: left }))
    // In a simulated region nobody waits for the script's end: the node tells it.
    if (ran.ExitCode !== undefined && ran.ExitCode !== 0) throw new Error(`The onboarding script ended with ${String(ran.ExitCode)} on ${name}:\n${ran.Output ?? ''}`)
  }
  await story.nodes(pool.Id, MACHINES.length, 3 * MINUTE)
  return cluster.Id
}

/** What no kubectl can show, as there is none: a machine loses its power, and everybody above it says why it is not well. */
async function playPower(client: EdgeholdClient, story: Story, clusterId: string, [first = '']: readonly string[]): Promise<void> {
  story.say(`Pods are left out: a simulated cluster has no Kubernetes API. Instead ${MACHINES[0] ?? ''} loses its power, and gets it back.`)
  await story.asked(() => client.call('SetMachine', { Id: first, Power: 'crash' }))
  await story.node(clusterId, MACHINES[0] ?? '', 'Failed/NotReady', 2 * MINUTE)
  await story.asked(() => client.call('SetMachine', { Id: first, Power: 'on' }))
  await story.node(clusterId, MACHINES[0] ?? '', 'Running/Ok', 2 * MINUTE)
}

async function playPods(client: EdgeholdClient, configuration: Configuration, story: Story, { clusterId, left }: { readonly clusterId: string; readonly left: AbortSignal }): Promise<void> {
  story.say('A Deployment of four pods, from an image in the region\'s own registry.')
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-demo-'))
  try {
    const kubeconfig = join(folder, 'kubeconfig')
    writeFileSync(kubeconfig, await story.kubeconfig(clusterId, MINUTE), { mode: 0o600 })
    const kubectl = (await openComponents(configuration).find('kubectl')).path
    const manifest = join(folder, 'web.json')
    writeFileSync(manifest, JSON.stringify(webManifest(await imageReference(configuration, 'agnhost'))))
    for (const line of await kubectlTells(kubectl, kubeconfig, { manifest, signal: left })) story.say(line)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
