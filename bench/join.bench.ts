/** Onboarding script started → node {Running,[Ok]} in ListEdgeNodes, beside containerd + kubelet with TLS bootstrap started by a plain script on the same kind of machine. */
import { machineFiles } from '#join/machine-files.ts'
import { readConfiguration } from '#main/configuration.ts'
import { openComponents } from '#main/components.ts'
import { Installation } from '#test/harness/command.ts'
import { prepareBareControlPlane } from './bare-control-plane.ts'
import { letEverybodyIn, prepareBareNode } from './bare-node.ts'
import { start } from './client-of.ts'
import { administrator, administratorOf, readyOf, watchNodeObjects } from './cluster-of.ts'
import { addMachine, networkOf, putCached, removeMachine } from './machines-of.ts'
import { clusterRuns, createCluster, createPool, nodeShows } from './orders.ts'
import { median, printNote, printTable, verdict } from './table.ts'

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5)
/** Far from the addresses that the region hands out first. */
const BARE_NUMBER = 3000
const ALLOWANCE_S = 1
const DEADLINE_MS = 120_000

const place = await Installation.make()
const components = openComponents(readConfiguration({ state: place.state }, place.environment))
const version = components.kubernetesVersions().at(-1) ?? ''
const files = await machineFiles(components, version, process.arch === 'arm64' ? 'arm64' : 'amd64')
let stopBare = async (): Promise<void> => {}
try {
  const client = await start(place)
  const clusterId = await createCluster(client, { name: 'join' })
  await clusterRuns(client, clusterId)
  const { line } = await createPool(client, clusterId)
  const api = await administratorOf(place, clusterId)
  const watch = await watchNodeObjects(api)

  const plane = await prepareBareControlPlane(BARE_NUMBER, version, networkOf(place), components)
  stopBare = () => plane.stop()
  await plane.start()
  const bareApi = await administrator(plane.address, plane.pki)
  const approver = await letEverybodyIn(bareApi)
  const bareWatch = await watchNodeObjects(bareApi)

  const bare: number[] = []
  const ours: number[] = []
  const ready: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const bareMachine = await addMachine(place, client, `bare-${round}`)
    const command = await prepareBareNode(bareMachine, plane, files, 'pause:3.10')
    const bareReady = bareWatch.sees(bareMachine.name, node => readyOf(node) === 'True', DEADLINE_MS)
    const bareStarted = performance.now()
    await Promise.all([bareMachine.run(command), bareReady.then(at => bare.push((at - bareStarted) / 1000))])
    await removeMachine(client, bareMachine)

    const machine = await addMachine(place, client, `ours-${round}`)
    await putCached(machine, files)
    const nodeReady = watch.sees(machine.name, node => readyOf(node) === 'True', DEADLINE_MS)
    const started = performance.now()
    const ran = machine.run(['sh', '-c', line])
    const shown = nodeShows(client, clusterId, machine.name, 'Running/Ok', DEADLINE_MS, 10)
    await Promise.all([ran, nodeReady.then(at => ready.push((at - started) / 1000)), shown.then(at => ours.push((at - started) / 1000))])
    await removeMachine(client, machine)
  }
  await Promise.all([watch.stop(), bareWatch.stop(), approver.stop()])
  await Promise.all([api.close(), bareApi.close()])
  printTable(`join: script started, programs on the machine already → node ready, Kubernetes ${version}, seconds (median of ${ROUNDS})`, [
    { what: 'bare containerd + kubelet, TLS bootstrap → Ready in its cluster', seconds: median(bare), each: bare.map(short).join(' '), verdict: '' },
    { what: 'onboarding script → Ready in its cluster', seconds: median(ready), each: ready.map(short).join(' '), verdict: '' },
    { what: 'onboarding script → {Running,[Ok]} in ListEdgeNodes', seconds: median(ours), each: ours.map(short).join(' '), verdict: verdict(median(ours), median(bare) + ALLOWANCE_S, ' s') },
  ])
  printNote(`Bar: the bare one + ${ALLOWANCE_S} s. The bare one runs no kube-proxy, no flanneld and no agent, fetches no script and asks nobody who it is.`)
} finally {
  await stopBare()
  await place.remove()
}

function short(seconds: number): string {
  return seconds.toFixed(2)
}
