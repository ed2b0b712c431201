/** A kubeconfig: a client certificate with a name of its own, bound by a ClusterRoleBinding of its own; deleting that binding revokes it. */
export interface KubeconfigRecord {
  readonly id: string
  readonly accountId: string
  readonly region: string
  readonly clusterId: string
  readonly type: 'Public' | 'Private'
  readonly userId: number
  readonly roleId: number
  readonly createdAt: number
  readonly expiresAt: number
  /** The kubeconfig's text, base64, once made. */
  readonly text?: string
  /** Deletion asked for; forgotten once the binding is gone. */
  readonly deletionRequestedAt?: number
}
