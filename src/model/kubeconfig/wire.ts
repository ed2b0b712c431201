import { rfc3339Seconds } from '../time.ts'
import type { KubeconfigRecord } from './record.ts'

/** An item of ListKubeconfigs (api.md 2). Kubeconfig is base64 text, empty until it is made (some seconds after the call). */
export function kubeconfigToWire(kubeconfig: KubeconfigRecord) {
  return {
    Id: kubeconfig.id, ClusterId: kubeconfig.clusterId, UserId: kubeconfig.userId, RoleId: kubeconfig.roleId, Type: kubeconfig.type,
    Kubeconfig: kubeconfig.text ?? '', CreateTime: rfc3339Seconds(kubeconfig.createdAt), ExpireTime: rfc3339Seconds(kubeconfig.expiresAt),
  }
}
