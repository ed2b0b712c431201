import { cidrOf, nthAddress } from '#model/cidr.ts'
import type { ClusterBase } from '#ports/tenant-cluster.ts'
import { GROUPS } from '../../components/catalogue.ts'
import { DNS_DEPLOYMENT, DNS_LABELS as LABELS, SYSTEM_NAMESPACE } from './names.ts'
import type { Manifest } from './rights.ts'

/** The domain that every kubelet is told. */
export const CLUSTER_DOMAIN = 'cluster.local'

/** The address of cluster DNS, told to every kubelet: the tenth of the service range. */
export function clusterDnsAddress(serviceCidr: string): string {
  return nthAddress(cidrOf(serviceCidr), 10)
}

export const COREDNS_VERSION = GROUPS.find(group => group.programs.some(program => program.name === 'coredns'))?.version ?? 'latest'

/** Names outside of the cluster go to the resolver of the node that CoreDNS runs on. */
const COREFILE = `.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes ${CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
        max_concurrent 1000
    }
    cache 30
    reload
    loadbalance
}
`

const NAME = { name: DNS_DEPLOYMENT, namespace: SYSTEM_NAMESPACE }

/** CoreDNS with its rights and its Service, from the region's registry. */
export function clusterDns(base: ClusterBase): readonly Manifest[] {
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: NAME },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'system:coredns' },
      rules: [
        { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'system:coredns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' },
      subjects: [{ kind: 'ServiceAccount', ...NAME }],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: NAME, data: { Corefile: COREFILE } },
    {
      apiVersion: 'v1', kind: 'Service',
      metadata: { name: 'kube-dns', namespace: SYSTEM_NAMESPACE, labels: { ...LABELS, 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' } },
      spec: {
        selector: LABELS,
        clusterIP: clusterDnsAddress(base.serviceCidr),
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
          { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
        ],
      },
    },
    deployment(base),
  ]
}

function deployment(base: ClusterBase): Manifest {
  return {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata: { ...NAME, labels: LABELS },
    spec: {
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          serviceAccountName: DNS_DEPLOYMENT,
          priorityClassName: 'system-cluster-critical',
          dnsPolicy: 'Default',
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          tolerations: [
            { key: 'CriticalAddonsOnly', operator: 'Exists' },
            // Placed while its first node is still becoming ready; but away from a node that died within half a minute, not the default five.
            { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoSchedule' },
            { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
            { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
          ],
          containers: [{
            name: 'coredns',
            image: `${base.registry}/coredns:${COREDNS_VERSION}`,
            imagePullPolicy: 'IfNotPresent',
            args: ['-conf', '/etc/coredns/Corefile'],
            resources: { limits: { memory: '170Mi' }, requests: { cpu: '50m', memory: '70Mi' } },
            volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
            ports: [
              { name: 'dns', containerPort: 53, protocol: 'UDP' },
              { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
              { name: 'metrics', containerPort: 9153, protocol: 'TCP' },
            ],
            livenessProbe: { httpGet: { path: '/health', port: 8080, scheme: 'HTTP' }, initialDelaySeconds: 60, timeoutSeconds: 5, failureThreshold: 5 },
            readinessProbe: { httpGet: { path: '/ready', port: 8181, scheme: 'HTTP' }, periodSeconds: 2 },
            securityContext: { allowPrivilegeEscalation: false, capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] }, readOnlyRootFilesystem: true },
          }],
          volumes: [{ name: 'config', configMap: { name: DNS_DEPLOYMENT, items: [{ key: 'Corefile', path: 'Corefile' }] } }],
        },
      },
    },
  }
}
