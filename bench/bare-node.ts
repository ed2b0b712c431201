/**
 * The baseline of `join`: containerd and kubelet with TLS bootstrap on the same kind of machine, the same programs there already, started by a plain
 * script against a bare control plane that approves each certificate request at once. Settings are ours where they cost time; the pod network is a
 * fixed one, so that nothing has to be waited for.
 */
import { listWatch } from '#kubernetes/client/list-watch.ts'
import type { ApiClient } from '#kubernetes/client/api-client.ts'
import type { CertificateRequestObject } from '#kubernetes/client/objects.ts'
import { systemClock } from '#main/system-clock.ts'
import type { ComponentFile } from '#ports/components.ts'
import type { BareControlPlane } from './bare-control-plane.ts'
import { isNetworkPlugin, type MachineOf } from './machines-of.ts'

const TOKEN = { id: 'abcdef', secret: '0123456789abcdef' }
const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const RBAC = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'

/** Lets machines bootstrap: a token, the right to ask for certificates, and somebody who approves every request as it comes. */
export async function letEverybodyIn(api: ApiClient): Promise<{ stop(): Promise<void> }> {
  await api.json('POST', '/api/v1/namespaces/kube-system/secrets', { body: {
    apiVersion: 'v1', kind: 'Secret', type: 'bootstrap.kubernetes.io/token', metadata: { name: `bootstrap-token-${TOKEN.id}` },
    stringData: { 'token-id': TOKEN.id, 'token-secret': TOKEN.secret, 'usage-bootstrap-authentication': 'true' },
  } })
  await api.json('POST', RBAC, { body: {
    apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'bootstrap' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-bootstrapper' },
    subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:bootstrappers' }],
  } })
  const stop = new AbortController()
  const approve = async (request: CertificateRequestObject): Promise<void> => {
    if ((request.status?.conditions ?? []).length > 0) return
    const conditions = [{ type: 'Approved', status: 'True', reason: 'Bench', message: 'everybody is let in' }]
    await api.call('PUT', `${REQUESTS}/${request.metadata.name}/approval`, { body: { ...request, status: { conditions } } })
  }
  const done = listWatch<CertificateRequestObject>(api, REQUESTS, {
    async onSync(requests) { for (const request of requests) await approve(request) },
    onChange: approve,
    async onGone() {},
    async onLost() {},
  }, systemClock, stop.signal)
  return {
    async stop() {
      stop.abort()
      await done
    },
  }
}

/** Puts programs, settings and the script; answers the command that starts it all. */
export async function prepareBareNode(machine: MachineOf, plane: BareControlPlane, files: readonly ComponentFile[], pauseImage: string): Promise<readonly string[]> {
  for (const file of files) await machine.put(file.path, `/opt/bare/${isNetworkPlugin(file.name) ? 'cni' : 'bin'}/${file.name}`)
  await machine.write(plane.pki.caCert, '/etc/bare/ca.pem')
  await machine.write(`apiVersion: v1
kind: Config
clusters:
- {name: cluster, cluster: {server: "https://${plane.address}:6443", certificate-authority: /etc/bare/ca.pem}}
users:
- {name: machine, user: {token: "${TOKEN.id}.${TOKEN.secret}"}}
contexts:
- {name: machine, context: {cluster: cluster, user: machine}}
current-context: machine
`, '/etc/bare/bootstrap.kubeconfig')
  await machine.write(`version = 3
root = "/var/lib/containerd"
state = "/run/bare/containerd"
[grpc]
  address = "/run/bare/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${pauseImage}"
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/opt/bare/cni"]
  conf_dir = "/etc/bare/cni"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
    BinaryName = "/opt/bare/bin/runc"
`, '/etc/bare/containerd.toml')
  await machine.write(JSON.stringify({ cniVersion: '1.0.0', name: 'bare', plugins: [{ type: 'ptp', ipam: { type: 'host-local', ranges: [[{ subnet: '10.99.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] } }] }), '/etc/bare/cni/10-bare.conflist')
  await machine.write(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: /etc/bare/ca.pem}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix:///run/bare/containerd.sock
cgroupDriver: cgroupfs
failSwapOn: false
failCgroupV1: false
enforceNodeAllocatable: []
serverTLSBootstrap: true
rotateCertificates: true
makeIPTablesUtilChains: false
`, '/etc/bare/kubelet.yaml')
  await machine.write(`set -e
mkdir -p /run/bare /var/log/bare
export PATH=/opt/bare/bin:$PATH
setsid containerd --config /etc/bare/containerd.toml --log-level warn </dev/null >/var/log/bare/containerd.log 2>&1 &
until [ -S /run/bare/containerd.sock ]; do sleep 0.02; done
setsid kubelet --config=/etc/bare/kubelet.yaml --bootstrap-kubeconfig=/etc/bare/bootstrap.kubeconfig --kubeconfig=/var/lib/containerd/kubelet.kubeconfig \\
  --cert-dir=/var/lib/containerd/pki --hostname-override=${machine.name} --v=1 </dev/null >/var/log/bare/kubelet.log 2>&1 &
`, '/etc/bare/start.sh')
  await machine.settle()
  return ['sh', '/etc/bare/start.sh']
}
