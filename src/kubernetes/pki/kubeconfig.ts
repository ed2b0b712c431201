/** One cluster, one user, one context. Credentials are PEM texts (embedded as base64) or paths of files. */
export interface KubeconfigParts {
  readonly server: string
  readonly caCert: string
  readonly clusterName: string
  readonly userName: string
  readonly credentials: { readonly cert: string; readonly key: string } | { readonly certFile: string; readonly keyFile: string }
}

/** The text of a kubeconfig. YAML by hand: every value is quoted as JSON, which is YAML. */
export function kubeconfigText(parts: KubeconfigParts): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const q = (text: string): string => JSON.stringify(text)
  const user = 'cert' in parts.credentials
    ? `    client-certificate-data: ${base64(parts.credentials.cert)}\n    client-key-data: ${base64(parts.credentials.key)}`
    : `    client-certificate: ${q(parts.credentials.certFile)}\n    client-key: ${q(parts.credentials.keyFile)}`
  return `apiVersion: v1
kind: Config
clusters:
- name: ${q(parts.clusterName)}
  cluster:
    server: ${q(parts.server)}
    certificate-authority-data: ${base64(parts.caCert)}
users:
- name: ${q(parts.userName)}
  user:
${user}
contexts:
- name: ${q(parts.clusterName)}
  context:
    cluster: ${q(parts.clusterName)}
    user: ${q(parts.userName)}
current-context: ${q(parts.clusterName)}
`
}
