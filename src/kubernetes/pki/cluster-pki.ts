import type { ClusterPki } from '#ports/control-plane-host.ts'
import { makeAuthority, makeKeyPair } from './certificate.ts'

const YEAR_MS = 365 * 24 * 60 * 60_000
/** As long as kubeadm gives its authorities. Leaves never outlive it. */
export const AUTHORITY_VALID_MS = 10 * YEAR_MS

/** Makes the keys of a new cluster: three authorities that trust nothing of one another, and the key that signs service-account tokens. */
export async function makePki(now: number): Promise<ClusterPki> {
  const [ca, frontProxy, etcd, serviceAccount] = await Promise.all([
    makeAuthority('kubernetes', now, AUTHORITY_VALID_MS),
    makeAuthority('front-proxy-ca', now, AUTHORITY_VALID_MS),
    makeAuthority('etcd-ca', now, AUTHORITY_VALID_MS),
    makeKeyPair(),
  ])
  return {
    caCert: ca.cert, caKey: ca.key,
    frontProxyCaCert: frontProxy.cert, frontProxyCaKey: frontProxy.key,
    etcdCaCert: etcd.cert, etcdCaKey: etcd.key,
    serviceAccountKey: serviceAccount.privateKey, serviceAccountPublicKey: serviceAccount.publicKey,
  }
}
