import type { Clock } from '#ports/clock.ts'
import type { ApiClient } from '../client/api-client.ts'
import { ApiRefusal, ApiUnreachable, orUndefined } from '../client/api-client.ts'
import { listWatch } from '../client/list-watch.ts'
import type { CertificateRequestObject, KubernetesObject, NodeObject } from '../client/objects.ts'
import { SYSTEM_NAMESPACE, TOKEN_NODE_ANNOTATION } from './base/names.ts'
import { CLIENT_SIGNER, judgeRequest, SERVING_SIGNER, type JudgedRequest } from './judge-request.ts'

const PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
/** A request that cannot be approved now is looked at again: a member may be entered or a Node's address reported a moment later. */
const FIRST_AGAIN_MS = 500
const LONGEST_AGAIN_MS = 60_000

type IsMember = (nodeName: string) => Promise<boolean | { readonly address: string }>

/** Approves kubelets' certificate requests as they come, those of members only. Ends when aborted; what `isMember` throws only postpones. */
export async function approveRequests(api: ApiClient, isMember: IsMember, clock: Clock, signal: AbortSignal): Promise<void> {
  const waiting = new Set<string>()
  const broken = Promise.withResolvers<never>()
  const consider = (request: CertificateRequestObject): void => {
    const { name } = request.metadata
    if (waiting.has(name) || isSettled(request)) return
    waiting.add(name)
    untilSettled(request).catch(broken.reject).finally(() => waiting.delete(name))
  }

  const untilSettled = async (request: CertificateRequestObject): Promise<void> => {
    let pause = FIRST_AGAIN_MS
    for (let current: CertificateRequestObject | undefined = request; current !== undefined && !isSettled(current) && !signal.aborted;) {
      try {
        if (await approveIfRight(api, current, isMember)) return
      } catch (error) {
        // The request changed under us, or the API server is away: judged anew in a moment.
        if (!(error instanceof ApiRefusal || error instanceof ApiUnreachable)) throw error
      }
      const ended = await clock.sleep(pause, signal).then(() => false, () => true)
      if (ended) return
      pause = Math.min(pause * 2, LONGEST_AGAIN_MS)
      current = await api.find<CertificateRequestObject>(`${PATH}/${request.metadata.name}`).catch((error: unknown) => {
        if (error instanceof ApiUnreachable || error instanceof ApiRefusal) return request
        throw error
      })
    }
  }

  const watched = listWatch<CertificateRequestObject>(api, PATH, {
    onSync: async requests => { for (const request of requests) consider(request) },
    onChange: async request => consider(request),
    onGone: async () => {},
    // The watch of nodes over the same connection tells that; a list follows when it is back.
    onLost: async () => {},
  }, clock, signal)
  await Promise.race([watched, broken.promise])
}

function isSettled(request: CertificateRequestObject): boolean {
  const ofKubelet = request.spec.signerName === CLIENT_SIGNER || request.spec.signerName === SERVING_SIGNER
  return !ofKubelet || (request.status?.conditions ?? []).length > 0
}

/** True if it needs no further look: approved, or never to be approved. */
async function approveIfRight(api: ApiClient, request: CertificateRequestObject, isMember: IsMember): Promise<boolean> {
  const judged = judgeRequest(request)
  if ('refused' in judged) return true
  // Who cannot say whether it is a member has not said yes.
  const member = await isMember(judged.nodeName).catch(() => false)
  if (member === false || !await factsHold(api, judged, member === true ? undefined : member.address)) return false
  const condition = { type: 'Approved', status: 'True', reason: 'EdgeholdMember', message: `${judged.nodeName} is a member of this cluster` }
  await api.json('PUT', `${PATH}/${encodeURIComponent(request.metadata.name)}/approval`, { body: { ...request, status: { ...request.status, conditions: [condition] } } })
  return true
}

/** `memberAddress`: what its record says, where it says one. A Node's own addresses are not enough then: a kubelet writes them itself, so it could name another's. */
async function factsHold(api: ApiClient, judged: JudgedRequest, memberAddress: string | undefined): Promise<boolean> {
  if (judged.tokenId !== undefined) {
    const secret = await api.find<KubernetesObject>(`/api/v1/namespaces/${SYSTEM_NAMESPACE}/secrets/bootstrap-token-${encodeURIComponent(judged.tokenId)}`)
    return secret?.metadata.annotations?.[TOKEN_NODE_ANNOTATION] === judged.nodeName
  }
  if (judged.ipAddresses.length === 0) return true
  if (memberAddress !== undefined && judged.ipAddresses.some(address => address !== memberAddress)) return false
  const node = await orUndefined(api.json<NodeObject>('GET', `/api/v1/nodes/${encodeURIComponent(judged.nodeName)}`))
  const addresses = new Set(node?.status?.addresses?.map(address => address.address))
  return judged.ipAddresses.every(address => addresses.has(address))
}
