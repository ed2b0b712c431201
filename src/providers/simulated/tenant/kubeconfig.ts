/** The text of a kubeconfig of a simulated cluster: whole in form, and its server is an address of ours that says what it is. */
export function simulatedKubeconfig(parts: { readonly server: string; readonly clusterName: string; readonly caCert: string; readonly id: string; readonly token: string }): string {
  const q = (text: string): string => JSON.stringify(text)
  return `apiVersion: v1
kind: Config
clusters:
- name: ${q(parts.clusterName)}
  cluster:
    server: ${q(parts.server)}
    certificate-authority-data: ${Buffer.from(parts.caCert).toString('base64')}
users:
- name: ${q(`edgehold:kubeconfig:${parts.id}`)}
  user:
    token: ${q(parts.token)}
contexts:
- name: ${q(parts.clusterName)}
  context:
    cluster: ${q(parts.clusterName)}
    user: ${q(`edgehold:kubeconfig:${parts.id}`)}
current-context: ${q(parts.clusterName)}
`
}
