import { cidrOf } from '#model/cidr.ts'
import type { ControlPlaneComponent, ControlPlaneOrder } from '#ports/control-plane-host.ts'
import { pkiFiles, type ControlPlanePlaces } from './places.ts'

/** Ports of a control plane, all inside its own network namespace. Health of the last two is read from outside, on the cluster's address. */
export const PORTS = { api: 6443, etcdClient: 2379, etcdPeer: 2380, controllerManager: 10257, scheduler: 10259 } as const

/** The arguments of one component as flags, in a stable order. Pure; the same for every served minor unless a line says otherwise. */
export function componentArguments(component: ControlPlaneComponent, order: Omit<ControlPlaneOrder, 'pki'>, places: ControlPlanePlaces): readonly string[] {
  switch (component) {
    case 'etcd': return flags(etcd(places))
    case 'kube-apiserver': return flags(apiserver(order, places))
    case 'kube-controller-manager': return flags(controllerManager(order, places))
    case 'kube-scheduler': return flags(scheduler(order, places))
  }
}

/**
 * Length of a node's pod range with room for twice the pods a node may run, so that addresses of ended pods can rest before they are used again.
 * Kubernetes refuses a range that is more than 16 bits longer than the cluster's own.
 */
export function nodeCidrMaskSize(podCidr: string, maxPodsPerNode: number): number {
  const cluster = cidrOf(podCidr).prefix
  const wanted = 32 - Math.ceil(Math.log2(2 * maxPodsPerNode))
  return Math.max(cluster, Math.min(wanted, cluster + 16))
}

type Flags = Readonly<Record<string, string | number | boolean>>

const flags = (values: Flags): readonly string[] => Object.entries(values).map(([name, value]) => `--${name}=${value}`)

function etcd(places: ControlPlanePlaces): Flags {
  const file = pkiFiles(places)
  const client = `https://127.0.0.1:${PORTS.etcdClient}`
  const peer = `https://127.0.0.1:${PORTS.etcdPeer}`
  return {
    'name': 'edgehold',
    'data-dir': places.etcdData,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `edgehold=${peer}`,
    'client-cert-auth': true,
    'trusted-ca-file': file.etcdCaCert,
    'cert-file': file.cert('etcd'),
    'key-file': file.key('etcd'),
    'peer-client-cert-auth': true,
    'peer-trusted-ca-file': file.etcdCaCert,
    'peer-cert-file': file.cert('etcd'),
    'peer-key-file': file.key('etcd'),
    'quota-backend-bytes': 8 * 1024 ** 3,
    // Its last words are kept as evidence: fatal and error lines stay, chatter of every start does not drown them.
    'log-level': 'warn',
  }
}

function apiserver(order: Omit<ControlPlaneOrder, 'pki'>, places: ControlPlanePlaces): Flags {
  const file = pkiFiles(places)
  return {
    'advertise-address': order.address,
    'secure-port': PORTS.api,
    'service-cluster-ip-range': order.serviceCidr,
    'etcd-servers': `https://127.0.0.1:${PORTS.etcdClient}`,
    'etcd-cafile': file.etcdCaCert,
    'etcd-certfile': file.cert('apiserver-etcd-client'),
    'etcd-keyfile': file.key('apiserver-etcd-client'),
    'tls-cert-file': file.cert('apiserver'),
    'tls-private-key-file': file.key('apiserver'),
    'client-ca-file': file.caCert,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'enable-bootstrap-token-auth': true,
    'allow-privileged': true,
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': file.serviceAccountPublicKey,
    'service-account-signing-key-file': file.serviceAccountKey,
    // Without it logs and exec look the node's name up in DNS and fail.
    'kubelet-preferred-address-types': 'InternalIP',
    'kubelet-certificate-authority': file.caCert,
    'kubelet-client-certificate': file.cert('apiserver-kubelet-client'),
    'kubelet-client-key': file.key('apiserver-kubelet-client'),
    'requestheader-client-ca-file': file.frontProxyCaCert,
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': file.cert('front-proxy-client'),
    'proxy-client-key-file': file.key('front-proxy-client'),
    // There is no kube-proxy beside the API server: with it, webhooks and aggregated APIs are reached at their endpoints, not at Service addresses.
    'enable-aggregator-routing': true,
    'profiling': false,
  }
}

function controllerManager(order: Omit<ControlPlaneOrder, 'pki'>, places: ControlPlanePlaces): Flags {
  const file = pkiFiles(places)
  return {
    ...besideTheApi(file.controllerManagerKubeconfig, file.caCert, file.frontProxyCaCert),
    'secure-port': PORTS.controllerManager,
    'tls-cert-file': file.cert('controller-manager-serving'),
    'tls-private-key-file': file.key('controller-manager-serving'),
    'cluster-name': order.clusterId,
    // Off by default; it removes bootstrap tokens whose time is over.
    'controllers': '*,tokencleaner',
    'use-service-account-credentials': true,
    'service-account-private-key-file': file.serviceAccountKey,
    'root-ca-file': file.caCert,
    'cluster-signing-cert-file': file.caCert,
    'cluster-signing-key-file': file.caKey,
    'allocate-node-cidrs': true,
    'cluster-cidr': order.podCidr,
    'node-cidr-mask-size': nodeCidrMaskSize(order.podCidr, order.maxPodsPerNode),
    'service-cluster-ip-range': order.serviceCidr,
    // At the default of 20, two thousand silent nodes are not noticed within seven minutes.
    'kube-api-qps': 500,
    'kube-api-burst': 1000,
  }
}

function scheduler(_order: Omit<ControlPlaneOrder, 'pki'>, places: ControlPlanePlaces): Flags {
  const file = pkiFiles(places)
  return {
    ...besideTheApi(file.schedulerKubeconfig, file.caCert, file.frontProxyCaCert),
    'secure-port': PORTS.scheduler,
    'tls-cert-file': file.cert('scheduler-serving'),
    'tls-private-key-file': file.key('scheduler-serving'),
    'kube-api-qps': 100,
    'kube-api-burst': 200,
  }
}

/** What controller-manager and scheduler share. Health paths are open to anonymous callers, so that health can be read on the cluster's address; the rest needs rights. */
function besideTheApi(kubeconfig: string, caCert: string, frontProxyCaCert: string): Flags {
  return {
    'kubeconfig': kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'authorization-always-allow-paths': '/healthz,/readyz,/livez',
    'client-ca-file': caCert,
    'requestheader-client-ca-file': frontProxyCaCert,
    // There is one of each, and it is under one supervisor: an election would only delay its start.
    'leader-elect': false,
    'profiling': false,
  }
}
