import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import type { CertificateRequestObject } from '../client/objects.ts'

export const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet'
export const SERVING_SIGNER = 'kubernetes.io/kubelet-serving'
const NODE_USER = 'system:node:'
const TOKEN_USER = 'system:bootstrap:'

/** What must still be true outside the request for it to be approved. */
export interface JudgedRequest {
  readonly nodeName: string
  /** The bootstrap token that must have been given to this name; undefined: the node asks with its own certificate. */
  readonly tokenId?: string
  /** Addresses that the Node object must have. */
  readonly ipAddresses: readonly string[]
}

/**
 * Judges a kubelet's certificate request by itself: subject, names, purposes and requestor must fit together exactly, else the answer is a sentence.
 * The rules are those of Kubernetes' two kubelet signers; ours is that a token speaks for one name only.
 */
export function judgeRequest(request: CertificateRequestObject): JudgedRequest | { readonly refused: string } {
  const { signerName, username = '', groups = [], usages = [] } = request.spec
  let pkcs10: x509.Pkcs10CertificateRequest
  try {
    pkcs10 = new x509.Pkcs10CertificateRequest(Buffer.from(request.spec.request, 'base64').toString())
  } catch {
    return { refused: 'It holds no certificate request.' }
  }
  const subject = pkcs10.subjectName.toJSON().flatMap(part => Object.entries(part).flatMap(([key, values]) => values.map(value => `${key}=${value}`))).toSorted()
  const commonName = pkcs10.subjectName.getField('CN')[0] ?? ''
  const nodeName = commonName.startsWith(NODE_USER) ? commonName.slice(NODE_USER.length) : ''
  if (nodeName === '' || subject.join() !== [`CN=${commonName}`, 'O=system:nodes'].join()) return { refused: `Its subject ${pkcs10.subject} is not a node's.` }

  const names = pkcs10.extensions.find(extension => extension instanceof x509.SubjectAlternativeNameExtension)?.names.items ?? []
  const own = username === `${NODE_USER}${nodeName}` && groups.includes('system:nodes')
  const allowed = ['digital signature', 'key encipherment', signerName === CLIENT_SIGNER ? 'client auth' : 'server auth']
  if (!usages.includes(allowed[2] ?? '') || !usages.every(usage => allowed.includes(usage))) return { refused: `Its usages ${usages.join(', ')} are not those of ${signerName}.` }

  if (signerName === CLIENT_SIGNER) {
    if (names.length > 0) return { refused: 'A client certificate has no alternative names.' }
    if (own) return { nodeName, ipAddresses: [] }
    if (username.startsWith(TOKEN_USER) && groups.includes('system:bootstrappers')) return { nodeName, tokenId: username.slice(TOKEN_USER.length), ipAddresses: [] }
    return { refused: `${username} may not ask for the node ${nodeName}.` }
  }
  if (signerName === SERVING_SIGNER) {
    if (!own) return { refused: `${username} may not ask for the node ${nodeName}.` }
    const strange = names.filter(name => !(name.type === 'ip' || (name.type === 'dns' && name.value === nodeName)))
    if (names.length === 0 || strange.length > 0) return { refused: `Its alternative names ${names.map(name => name.value).join(', ')} are not the node's.` }
    return { nodeName, ipAddresses: names.filter(name => name.type === 'ip').map(name => name.value) }
  }
  return { refused: `Its signer ${signerName} is not a kubelet's.` }
}
