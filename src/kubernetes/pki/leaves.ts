import type { ClusterPki } from '#ports/control-plane-host.ts'
import { signer, type KeyedCertificate, type LeafRequest } from './certificate.ts'
import { AUTHORITY_VALID_MS } from './cluster-pki.ts'

/** Names under which a control plane's certificates are kept, each as `<name>.crt` and `<name>.key`. */
export type LeafName =
  | 'apiserver' | 'apiserver-kubelet-client' | 'apiserver-etcd-client' | 'front-proxy-client' | 'etcd'
  | 'controller-manager' | 'controller-manager-serving' | 'scheduler' | 'scheduler-serving'

export interface LeafOrder {
  readonly pki: ClusterPki
  /** The API server's address on the region's bridge. */
  readonly address: string
  /** First address of the service range, under which pods reach the API server. */
  readonly serviceAddress: string
  /** Outside addresses or names that clients use to reach the API server. */
  readonly advertised: readonly string[]
  readonly now: number
}

const IPV4 = /^\d+\.\d+\.\d+\.\d+$/

function apiServer(order: LeafOrder): Pick<LeafRequest, 'commonName' | 'use' | 'dnsNames' | 'ipAddresses'> {
  return {
    commonName: 'kube-apiserver', use: 'server',
    dnsNames: ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'localhost', ...order.advertised.filter(name => !IPV4.test(name))],
    ipAddresses: [...new Set([order.address, order.serviceAddress, '127.0.0.1', ...order.advertised.filter(name => IPV4.test(name))])],
  }
}

/** The API server's certificate for the names of the order and a key that it has already, PEM. */
export async function renameApiServer(order: LeafOrder, key: string): Promise<string> {
  const sign = await signer({ cert: order.pki.caCert, key: order.pki.caKey })
  return (await sign({ ...apiServer(order), now: order.now, validMs: AUTHORITY_VALID_MS, key })).cert
}

/**
 * The certificates that a control plane's components need. They live as long as their authority: they exist only in a private memory file system
 * of the host and are made anew whenever that is empty, so a shorter life would add an outage and no safety.
 */
export async function makeLeaves(order: LeafOrder): Promise<Record<LeafName, KeyedCertificate>> {
  const { pki, now } = order
  const [cluster, frontProxy, etcd] = await Promise.all([
    signer({ cert: pki.caCert, key: pki.caKey }),
    signer({ cert: pki.frontProxyCaCert, key: pki.frontProxyCaKey }),
    signer({ cert: pki.etcdCaCert, key: pki.etcdCaKey }),
  ])
  const life = { now, validMs: AUTHORITY_VALID_MS }
  const inside = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', order.address] }
  const made = await Promise.all([
    cluster({ ...life, ...apiServer(order) }),
    cluster({ ...life, commonName: 'kube-apiserver-kubelet-client', use: 'client' }),
    etcd({ ...life, commonName: 'kube-apiserver-etcd-client', use: 'client' }),
    frontProxy({ ...life, commonName: 'front-proxy-client', use: 'client' }),
    // etcd dials itself with its server certificate (gRPC gateway and peers), hence both uses.
    etcd({ ...life, commonName: 'etcd', use: 'both', ...inside }),
    cluster({ ...life, commonName: 'system:kube-controller-manager', use: 'client' }),
    cluster({ ...life, commonName: 'kube-controller-manager', use: 'server', ...inside }),
    cluster({ ...life, commonName: 'system:kube-scheduler', use: 'client' }),
    cluster({ ...life, commonName: 'kube-scheduler', use: 'server', ...inside }),
  ])
  const [apiserver, kubeletClient, etcdClient, frontProxyClient, etcdServer, controllerManager, controllerManagerServing, scheduler, schedulerServing] = made
  return {
    'apiserver': apiserver, 'apiserver-kubelet-client': kubeletClient, 'apiserver-etcd-client': etcdClient, 'front-proxy-client': frontProxyClient, 'etcd': etcdServer,
    'controller-manager': controllerManager, 'controller-manager-serving': controllerManagerServing, 'scheduler': scheduler, 'scheduler-serving': schedulerServing,
  }
}
