/** Names of what we keep inside every tenant cluster; other parts find things again by them. */
export const SYSTEM_NAMESPACE = 'kube-system'
/** ConfigMap whose keys are the names that may have Node objects: the admission policy's parameter. */
export const MEMBERS = 'edgehold-members'
/** ConfigMap that tells which version of the base was applied last. */
export const BASE_MARK = 'edgehold-base'
/** Deployment of cluster DNS. */
export const DNS_DEPLOYMENT = 'coredns'
/** On its pods. */
export const DNS_LABELS: Readonly<Record<string, string>> = { 'k8s-app': 'kube-dns' }
/** Group of our bootstrap tokens; Kubernetes wants the prefix. */
export const BOOTSTRAP_GROUP = 'system:bootstrappers:edgehold'
/** On a bootstrap token's Secret: the one node name that the token is good for. */
export const TOKEN_NODE_ANNOTATION = 'edgehold/node-name'
/** On bootstrap tokens of ours. */
export const TOKEN_LABEL = 'edgehold/bootstrap-token'
/** On a Node: labels and taints that we put there, so that we take off only those. */
export const NODE_CONFIG_ANNOTATION = 'edgehold/node-config'
