/** Kubernetes' own kinds that a user may make objects of. */
const OWN_KINDS = new Set([
  'APIService', 'CSIDriver', 'CSINode', 'CertificateSigningRequest', 'ClusterRole', 'ClusterRoleBinding', 'ConfigMap', 'ControllerRevision', 'CronJob', 'CustomResourceDefinition', 'DaemonSet', 'Deployment',
  'DeviceClass', 'EndpointSlice', 'Endpoints', 'Event', 'FlowSchema', 'HorizontalPodAutoscaler', 'IPAddress', 'Ingress', 'IngressClass', 'Job', 'Lease', 'LimitRange', 'MutatingWebhookConfiguration', 'Namespace',
  'NetworkPolicy', 'PersistentVolume', 'PersistentVolumeClaim', 'PodDisruptionBudget', 'PodTemplate', 'PriorityClass', 'PriorityLevelConfiguration', 'ReplicaSet', 'ReplicationController', 'ResourceClaim',
  'ResourceClaimTemplate', 'ResourceQuota', 'ResourceSlice', 'Role', 'RoleBinding', 'RuntimeClass', 'Secret', 'Service', 'ServiceAccount', 'ServiceCIDR', 'StatefulSet', 'StorageClass', 'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding', 'ValidatingWebhookConfiguration', 'VolumeAttachment', 'VolumeAttributesClass',
])

/** Of these the world has its own, with a life of theirs. */
const MADE_OTHERWISE: Readonly<Record<string, string>> = {
  Node: 'nodes come with machines that join',
  Pod: 'pods come with SetWorkload, or with an add-on',
}

/** What keeps a cluster from taking an object of that kind, as a clause; `defined`: the names of its CustomResourceDefinitions. */
export function kindComplaint(kind: string, defined: readonly string[]): string | undefined {
  if (MADE_OTHERWISE[kind] !== undefined) return MADE_OTHERWISE[kind]
  if (OWN_KINDS.has(kind) || defined.some(name => name === kind || name.split('.')[0] === pluralOf(kind))) return undefined
  return `the cluster knows no kind ${kind}: Kubernetes has none of that name, and neither add-on nor user has put a CustomResourceDefinition ${pluralOf(kind)}.<group> there`
}

/** As Kubernetes guesses the name of a resource by its kind. */
function pluralOf(kind: string): string {
  const singular = kind.toLowerCase()
  if (singular.endsWith('s')) return `${singular}es`
  return singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`
}
