/** The baseline of `create`: the very same processes with the very same arguments, started by a plain shell script in a network namespace of its own. */
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { nthAddress, cidrOf } from '#model/cidr.ts'
import { componentArguments } from '#kubernetes/control-plane/arguments.ts'
import { pkiFiles } from '#kubernetes/control-plane/places.ts'
import { controlPlaneFiles } from '#kubernetes/control-plane/files.ts'
import { makePki } from '#kubernetes/pki/cluster-pki.ts'
import type { Components } from '#ports/components.ts'
import type { ClusterPki } from '#ports/control-plane-host.ts'
import type { HostNetworkSettings } from '#providers/local/host-network/settings.ts'
import { runProgram } from '#test/harness/command.ts'

export interface BareControlPlane {
  readonly address: string
  readonly pki: ClusterPki
  /** Runs the script to the end: API ready, controller manager and scheduler healthy, default ServiceAccount there. Answers milliseconds. */
  start(): Promise<number>
  stop(): Promise<void>
}

/** Keys, files and script are made beforehand and are not part of the time. */
export async function prepareBareControlPlane(number: number, version: string, network: HostNetworkSettings, components: Components): Promise<BareControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), `edgehold-bare-${number}-`))
  const address = nthAddress(cidrOf(network.cidr), 100 + number)
  const gateway = nthAddress(cidrOf(network.cidr), 1)
  const prefix = cidrOf(network.cidr).prefix
  const order = { clusterId: `bare-${number}`, name: `bare-${number}`, version, address, podCidr: '10.32.0.0/14', serviceCidr: '10.96.0.0/16', maxPodsPerNode: 64, pki: await makePki(Date.now()) }
  const places = { pki: join(folder, 'pki'), etcdData: join(folder, 'etcd') }
  for (const [path, text] of await controlPlaneFiles(order, places, { advertised: [], now: Date.now() })) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { mode: 0o600 })
  }
  const namespace = `ehbare${number}`
  const program = async (name: 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler') => {
    const { path } = await components.find(name, name === 'etcd' ? {} : { kubernetesVersion: version })
    return `nsenter --net=/run/netns/${namespace} ${[path, ...componentArguments(name, order, places)].map(word => `'${word}'`).join(' ')} >${folder}/${name}.log 2>&1 & echo $! >>${folder}/pids`
  }
  const script = `set -e
ip netns add ${namespace}
ip link add bare${number} type veth peer name eth0 netns ${namespace}
ip link set bare${number} master ${network.bridge} up
ip -n ${namespace} addr add ${address}/${prefix} dev eth0
ip -n ${namespace} link set lo up
ip -n ${namespace} link set eth0 up
ip -n ${namespace} route add default via ${gateway}
${await program('etcd')}
until nsenter --net=/run/netns/${namespace} bash -c '</dev/tcp/127.0.0.1/2379' 2>/dev/null; do sleep 0.02; done
${await program('kube-apiserver')}
ask() { curl -sk --max-time 2 --cert ${pkiFiles(places).cert('controller-manager')} --key ${pkiFiles(places).key('controller-manager')} "$@"; }
until [ "$(ask https://${address}:6443/readyz)" = ok ]; do sleep 0.04; done
${await program('kube-controller-manager')}
${await program('kube-scheduler')}
until [ "$(ask https://${address}:10257/healthz)" = ok ] && [ "$(ask https://${address}:10259/healthz)" = ok ]; do sleep 0.04; done
until ask -f -o /dev/null https://${address}:6443/api/v1/namespaces/default/serviceaccounts/default; do sleep 0.04; done
`
  const file = join(folder, 'start.sh')
  writeFileSync(file, script)
  chmodSync(file, 0o700)
  return {
    address,
    pki: order.pki,
    async start() {
      const startedAt = performance.now()
      const ended = await new Promise<number>((resolve, reject) => {
        const child = spawn('bash', [file], { stdio: ['ignore', 'inherit', 'inherit'] })
        child.on('error', reject)
        child.on('exit', code => resolve(code ?? 1))
      })
      if (ended !== 0) throw new Error(`the plain script ended with ${ended}; its logs are in ${folder}`)
      return performance.now() - startedAt
    },
    async stop() {
      await runProgram('sh', ['-c', `[ -f ${folder}/pids ] && kill -9 $(cat ${folder}/pids) 2>/dev/null; ip netns del ${namespace} 2>/dev/null; ip link del bare${number} 2>/dev/null; true`])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
