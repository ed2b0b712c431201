import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Four small web servers spread over the machines, and a Service before them. */
export function webManifest(image: string): object {
  const labels = { app: 'web' }
  const spread = [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: labels } }]
  return {
    apiVersion: 'v1', kind: 'List', items: [
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default' }, spec: {
        replicas: 4, selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { topologySpreadConstraints: spread, containers: [{ name: 'web', image, args: ['netexec', '--http-port=8080'], ports: [{ containerPort: 8080 }] }] } } } },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] } },
    ],
  }
}

/** Applies the manifest, waits for the rollout, lets a pod call the Service by its DNS name; answers what kubectl said, for people. */
export async function kubectlTells(kubectl: string, kubeconfig: string, { manifest, signal }: { readonly manifest: string; readonly signal: AbortSignal }): Promise<string[]> {
  const ask = async (...args: string[]) => (await run(kubectl, ['--kubeconfig', kubeconfig, ...args], { maxBuffer: 1 << 24, timeout: 180_000, signal })).stdout.trim()
  await ask('apply', '-f', manifest)
  const rolledOut = await ask('rollout', 'status', 'deployment/web', '--timeout=120s')
  const pods = await ask('get', 'pods', '-l', 'app=web', '-o', 'custom-columns=POD:.metadata.name,NODE:.spec.nodeName,ADDRESS:.status.podIP')
  const [pod = ''] = (await ask('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[0].metadata.name}')).split(' ')
  await reach(() => ask('exec', pod, '--', '/agnhost', 'connect', 'web.default.svc.cluster.local:80', '--timeout=3s'), signal)
  return [rolledOut.split('\n').at(-1) ?? '', pods, `Pod ${pod} reached web.default.svc.cluster.local:80.`]
}

/** Cluster DNS may start a moment after the first node. */
async function reach(ask: () => Promise<string>, signal: AbortSignal): Promise<void> {
  const end = performance.now() + 60_000
  for (;;) {
    try {
      await ask()
      return
    } catch (error) {
      if (signal.aborted || performance.now() > end) throw error
      await new Promise(resolve => setTimeout(resolve, 500))
    }
  }
}
