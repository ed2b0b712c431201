/** What a user applies in the walk of the whole way; images come from the region's own registry. */
import { makeAuthority, signer } from '#kubernetes/pki/certificate.ts'

const list = (...items: object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items })

/** metrics-server as its project publishes it, with the cluster's own authority for kubelets. */
export function metricsServer(image: string): string {
  const metadata = { name: 'metrics-server', namespace: 'kube-system', labels: { 'k8s-app': 'metrics-server' } }
  const subjects = [{ kind: 'ServiceAccount', name: 'metrics-server', namespace: 'kube-system' }]
  const binding = (name: string, role: string) => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role }, subjects })
  return list(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'system:metrics-server' }, rules: [{ apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] }, { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }] },
    binding('system:metrics-server', 'system:metrics-server'),
    binding('metrics-server:system:auth-delegator', 'system:auth-delegator'),
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'metrics-server-auth-reader', namespace: 'kube-system' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'extension-apiserver-authentication-reader' }, subjects },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: metadata.labels, ports: [{ name: 'https', port: 443, targetPort: 10250 }] } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: {
      selector: { matchLabels: metadata.labels }, template: { metadata: { labels: metadata.labels }, spec: {
        serviceAccountName: 'metrics-server', volumes: [{ name: 'tmp', emptyDir: {} }],
        containers: [{ name: 'metrics-server', image, args: ['--cert-dir=/tmp', '--secure-port=10250', '--kubelet-preferred-address-types=InternalIP', '--metric-resolution=15s', '--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt'],
          volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }], ports: [{ containerPort: 10250 }], readinessProbe: { httpGet: { path: '/readyz', port: 10250, scheme: 'HTTPS' }, periodSeconds: 2 } }] } } } },
    { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1beta1.metrics.k8s.io' }, spec: { group: 'metrics.k8s.io', version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true, service: { name: 'metrics-server', namespace: 'kube-system' } } },
  )
}

/** A webhook that denies every ConfigMap in namespaces labelled `guarded=yes`, served by a pod. */
export async function denyingWebhook(image: string): Promise<{ server: string; registration: string }> {
  const authority = await makeAuthority('guard', Date.now(), 3_600_000)
  const { cert, key } = await (await signer(authority))({ commonName: 'guard', use: 'server', dnsNames: ['guard.default.svc'], now: Date.now(), validMs: 3_600_000 })
  const labels = { app: 'guard' }
  const server = list(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'guarded', labels: { guarded: 'yes' } } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'guard', namespace: 'default' }, stringData: { 'tls.crt': cert, 'tls.key': key } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'guard', namespace: 'default' }, spec: { selector: labels, ports: [{ port: 443, targetPort: 8444 }] } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'guard', namespace: 'default' }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: {
      volumes: [{ name: 'keys', secret: { secretName: 'guard' } }],
      containers: [{ name: 'guard', image, args: ['webhook', '--tls-cert-file=/keys/tls.crt', '--tls-private-key-file=/keys/tls.key', '--port=8444'], volumeMounts: [{ name: 'keys', mountPath: '/keys' }],
        readinessProbe: { httpGet: { path: '/readyz', port: 8444, scheme: 'HTTPS' }, periodSeconds: 1 } }] } } } },
  )
  const registration = list({ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', metadata: { name: 'guard' }, webhooks: [{
    name: 'guard.edgehold.test', admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Fail', timeoutSeconds: 5, namespaceSelector: { matchLabels: { guarded: 'yes' } },
    clientConfig: { service: { name: 'guard', namespace: 'default', path: '/always-deny' }, caBundle: Buffer.from(authority.cert).toString('base64') },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }] }] })
  return { server, registration }
}
