import { cidrOf, nthAddress } from '#model/cidr.ts'
import type { ControlPlaneOrder } from '#ports/control-plane-host.ts'
import { kubeconfigText } from '../pki/kubeconfig.ts'
import { makeLeaves, type LeafName } from '../pki/leaves.ts'
import { PORTS } from './arguments.ts'
import { pkiFiles, type ControlPlanePlaces } from './places.ts'

/** Every file that the components read, path to content: authorities, leaves, kubeconfigs. All secret, all for a private memory file system. */
export async function controlPlaneFiles(order: ControlPlaneOrder, places: ControlPlanePlaces, options: { advertised: readonly string[]; now: number }): Promise<ReadonlyMap<string, string>> {
  const file = pkiFiles(places)
  const { pki } = order
  const leaves = await makeLeaves({ pki, address: order.address, serviceAddress: nthAddress(cidrOf(order.serviceCidr), 1), ...options })
  const files = new Map<string, string>([
    [file.caCert, pki.caCert],
    [file.caKey, pki.caKey],
    [file.frontProxyCaCert, pki.frontProxyCaCert],
    [file.etcdCaCert, pki.etcdCaCert],
    [file.serviceAccountKey, pki.serviceAccountKey],
    [file.serviceAccountPublicKey, pki.serviceAccountPublicKey],
  ])
  for (const name of Object.keys(leaves) as LeafName[]) {
    files.set(file.cert(name), leaves[name].cert)
    files.set(file.key(name), leaves[name].key)
  }
  for (const [path, leaf, userName] of [
    [file.controllerManagerKubeconfig, 'controller-manager', 'system:kube-controller-manager'],
    [file.schedulerKubeconfig, 'scheduler', 'system:kube-scheduler'],
  ] as const) {
    files.set(path, kubeconfigText({
      server: `https://${order.address}:${PORTS.api}`,
      caCert: pki.caCert,
      clusterName: order.clusterId,
      userName,
      credentials: { certFile: file.cert(leaf), keyFile: file.key(leaf) },
    }))
  }
  return files
}
