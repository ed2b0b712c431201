import { BOOTSTRAP_GROUP } from './names.ts'

type Manifest = { readonly apiVersion: string; readonly kind: string; readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> } } & Record<string, unknown>
export type { Manifest }

const RBAC = 'rbac.authorization.k8s.io'

const bindGroup = (name: string, role: string, group: string): Manifest => bind(name, role, { kind: 'Group', apiGroup: RBAC, name: group })

const bind = (name: string, role: string, subject: Record<string, string>): Manifest => ({
  apiVersion: `${RBAC}/v1`, kind: 'ClusterRoleBinding', metadata: { name },
  roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
  subjects: [subject],
})

/**
 * Rights inside the cluster. A machine has one identity, its kubelet's certificate (`system:node:<name>`, group `system:nodes`); kube-proxy and flanneld
 * use the same kubeconfig. That is the least to hand out and to renew at the join: no token of a ServiceAccount ever leaves the cluster, the
 * certificate renews itself, and NodeRestriction keeps each node's writes to its own object.
 */
export const RIGHTS: readonly Manifest[] = [
  // Asking for a certificate is all that a bootstrap token can do; we approve it, the controller manager only signs.
  bindGroup('edgehold:node-bootstrapper', 'system:node-bootstrapper', BOOTSTRAP_GROUP),
  bindGroup('edgehold:node-proxier', 'system:node-proxier', 'system:nodes'),
  {
    apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name: 'edgehold:flannel' },
    rules: [
      { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
    ],
  },
  bindGroup('edgehold:flannel', 'edgehold:flannel', 'system:nodes'),
  // The API server to the kubelets, for logs, exec and port-forward.
  bind('edgehold:kubelet-api', 'system:kubelet-api-admin', { kind: 'User', apiGroup: RBAC, name: 'kube-apiserver-kubelet-client' }),
]
