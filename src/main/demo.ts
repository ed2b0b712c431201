import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EdgeholdClient } from '#client/client.ts'
import { credentialsFile, type Credentials } from './account.ts'
import { openComponents } from './components.ts'
import type { Configuration } from './configuration.ts'
import { kubectlTells, webManifest } from './demo-workload.ts'
import { findServer } from './server-mark.ts'
import { Story } from './story.ts'
import { imageReference } from './demo-images.ts'

const CLUSTER = 'demo'
const MACHINES = ['demo-1', 'demo-2']
const MINUTE = 60_000

/**
 * The whole story on this machine, told as it happens: cluster, pool, script, machines, nodes, pods, each status with its reason. It takes itself away at
 * the end unless it is kept.
 */
export async function demo(configuration: Configuration, options: { keep: boolean }): Promise<number> {
  if (!findServer(configuration.stateDir)) {
    const { upDetached } = await import('./up.ts')
    const code = await upDetached(configuration)
    if (code !== 0) return code
  }
  const credentials = JSON.parse(readFileSync(credentialsFile(configuration.stateDir), 'utf8')) as Credentials
  const client = new EdgeholdClient({ endpoint: credentials.Endpoint, accessKeyId: credentials.AccessKeyId, secretAccessKey: credentials.SecretAccessKey, region: credentials.Region })
  const [region] = (await client.all('ListRegions')).filter(each => each.Default)
  if (region?.Kind !== 'Local') {
    process.stderr.write('edgehold demo: it needs the local region, which needs Linux and root; the simulated region that could stand in is not in this version.\n')
    return 1
  }
  const taken = (await client.all('ListClusters', { Filter: { Name: CLUSTER } })).some(cluster => cluster.Name === CLUSTER)
  if (taken) {
    process.stderr.write(`edgehold demo: there is a cluster named ${CLUSTER} already; ./edgehold delete cluster ${CLUSTER} --wait takes it away.\n`)
    return 1
  }
  const story = new Story(client, text => process.stdout.write(`${text}\n`))
  try {
    await play(client, configuration, story)
    return 0
  } finally {
    if (options.keep) story.say(`Kept. Look around: ./edgehold list node --cluster ${CLUSTER}; ./edgehold explain cluster ${CLUSTER}; ./edgehold machine power-off ${MACHINES[0] ?? ''}`)
    else await takeAway(client, story)
    await story.end()
  }
}

async function play(client: EdgeholdClient, configuration: Configuration, story: Story): Promise<void> {
  story.say('CreateCluster: etcd, API server, controller manager and scheduler of its own, in a network namespace of its own.')
  const cluster = await client.call('CreateCluster', {
    Name: CLUSTER, Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-demo'] },
    PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] },
  })
  story.follow(cluster.Id)
  await story.until('Cluster', cluster.Id, 'Running/Ok', 90 * MINUTE)

  story.say('CreateEdgeNodePool, a static one; and an onboarding script, good for one hour.')
  const pool = await client.call('CreateEdgeNodePool', { ClusterId: cluster.Id, Name: 'counters' })
  await story.until('NodePool', pool.Id, 'Running/Ok', MINUTE)
  const { Ids: [onboarding = ''] } = await client.call('CreateBatchEdgeMachine', { ClusterId: cluster.Id, NodePoolId: pool.Id, Name: 'counters-script', TTLHours: 1 })
  const [script] = await client.all('ListBatchEdgeMachine', { Filter: { Ids: [onboarding], NeedBootstrapScript: true } })
  story.say(`Any Linux machine in reach becomes a node by this line:\n    ${String(script?.BootstrapScript ?? '').trim()}`)
  for (const name of MACHINES) {
    story.say(`An empty machine ${name} is made on this host, and the script is run on it.`)
    const machine = await client.call('AddMachine', { Name: name })
    await story.machine(machine.Id, MINUTE)
    const ran = await client.call('SetMachine', { Id: machine.Id, RunScript: onboarding }, { timeoutMs: 10 * MINUTE })
    if (ran.ExitCode !== 0) throw new Error(`The onboarding script ended with ${String(ran.ExitCode)} on ${name}:\n${ran.Output ?? ''}`)
  }
  await story.nodes(pool.Id, MACHINES.length, 3 * MINUTE)

  story.say('A Deployment of four pods, from an image in the region\'s own registry.')
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-demo-'))
  try {
    const kubeconfig = join(folder, 'kubeconfig')
    writeFileSync(kubeconfig, await story.kubeconfig(cluster.Id, MINUTE), { mode: 0o600 })
    const kubectl = (await openComponents(configuration).find('kubectl')).path
    const manifest = join(folder, 'web.json')
    writeFileSync(manifest, JSON.stringify(webManifest(await imageReference(configuration, 'agnhost'))))
    for (const line of await kubectlTells(kubectl, kubeconfig, manifest)) story.say(line)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function takeAway(client: EdgeholdClient, story: Story): Promise<void> {
  const [cluster] = (await client.all('ListClusters', { Filter: { Name: CLUSTER } })).filter(each => each.Name === CLUSTER)
  if (cluster) {
    story.say('DeleteCluster with everything in it; the machines are released, then removed.')
    await story.accepted(() => client.call('DeleteCluster', { Id: cluster.Id, CascadingDeleteResources: ['All'] }), 16 * MINUTE)
    await story.until('Cluster', cluster.Id, 'gone', 10 * MINUTE)
  }
  for (const machine of await client.all('ListMachines')) if (MACHINES.includes(machine.Name)) await client.call('RemoveMachine', { Id: machine.Id })
  await story.machinesGone(MACHINES, 2 * MINUTE)
  const ledger = await client.all('ListLedger', { Filter: cluster ? { ClusterIds: [cluster.Id] } : {} })
  story.say(ledger.length === 0 ? 'The ledger has nothing of it left.' : `Still in the ledger: ${ledger.map(entry => `${entry.Kind} ${entry.State}`).join(', ')}`)
}
