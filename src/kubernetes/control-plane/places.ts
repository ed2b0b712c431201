import type { LeafName } from '../pki/leaves.ts'

/** Where a control plane's files lie on its host; everything but the data is in a private memory file system. */
export interface ControlPlanePlaces {
  /** Folder of certificates and keys. */
  readonly pki: string
  /** Folder of the datastore. */
  readonly etcdData: string
}

/** Paths of the files that the component arguments name. */
export function pkiFiles(places: ControlPlanePlaces) {
  const at = (name: string): string => `${places.pki}/${name}`
  return {
    caCert: at('ca.crt'), caKey: at('ca.key'),
    frontProxyCaCert: at('front-proxy-ca.crt'), etcdCaCert: at('etcd-ca.crt'),
    serviceAccountKey: at('service-account.key'), serviceAccountPublicKey: at('service-account.pub'),
    controllerManagerKubeconfig: at('controller-manager.kubeconfig'), schedulerKubeconfig: at('scheduler.kubeconfig'),
    cert: (leaf: LeafName): string => at(`${leaf}.crt`),
    key: (leaf: LeafName): string => at(`${leaf}.key`),
  }
}
