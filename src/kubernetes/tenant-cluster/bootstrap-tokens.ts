import { randomInt } from 'node:crypto'
import type { ApiClient } from '../client/api-client.ts'
import type { KubernetesList, KubernetesObject } from '../client/objects.ts'
import { BOOTSTRAP_GROUP, SYSTEM_NAMESPACE, TOKEN_LABEL, TOKEN_NODE_ANNOTATION } from './base/names.ts'

const SECRETS = `/api/v1/namespaces/${SYSTEM_NAMESPACE}/secrets`
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'

const random = (length: number): string => Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('')

/** Makes a token `xxxxxx.yyyyyyyyyyyyyyyy` that is good for one node name until it expires; Kubernetes itself removes it then. Earlier ones of that name go now. */
export async function makeBootstrapToken(api: ApiClient, nodeName: string, expiresAt: number): Promise<string> {
  const earlier = await api.json<KubernetesList<KubernetesObject>>('GET', `${SECRETS}?labelSelector=${encodeURIComponent(TOKEN_LABEL)}`)
  for (const secret of earlier.items ?? []) if (secret.metadata.annotations?.[TOKEN_NODE_ANNOTATION] === nodeName) await api.remove(`${SECRETS}/${secret.metadata.name}`)
  const id = random(6)
  const secret = random(16)
  await api.json('POST', SECRETS, {
    body: {
      apiVersion: 'v1', kind: 'Secret', type: 'bootstrap.kubernetes.io/token',
      metadata: { name: `bootstrap-token-${id}`, labels: { [TOKEN_LABEL]: 'true' }, annotations: { [TOKEN_NODE_ANNOTATION]: nodeName } },
      stringData: {
        'token-id': id,
        'token-secret': secret,
        'expiration': new Date(expiresAt).toISOString().replace(/\.\d+Z$/, 'Z'),
        'usage-bootstrap-authentication': 'true',
        'auth-extra-groups': BOOTSTRAP_GROUP,
        'description': `Joins the machine ${nodeName}`,
      },
    },
  })
  return `${id}.${secret}`
}
