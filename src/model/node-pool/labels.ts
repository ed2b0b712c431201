import { missing, optionalObjects, optionalText, optionalWord, refuseMember, requiredText, type Members } from '../request.ts'
import { OURS } from './node-config.ts'
import type { Label, Taint } from './record.ts'

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** Labels that each kubelet gives its own Node object and corrects at its next start: what the scheduler places by must not be a pool's wish. */
export const KUBELETS_OWN_LABELS: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname', 'kubernetes.io/os', 'kubernetes.io/arch', 'beta.kubernetes.io/os', 'beta.kubernetes.io/arch', 'node.kubernetes.io/windows-build',
])

/** `Labels` of a KubernetesConfig by Kubernetes' own syntax; keys are unique. Undefined if absent. */
export function optionalLabels(config: Members): readonly Label[] | undefined {
  const labels = optionalObjects(config, 'Labels')?.map(label => ({ key: labelKey(label), value: labelValue(label) }))
  const twice = labels?.find((label, index) => labels.findIndex(other => other.key === label.key) !== index)
  if (twice) refuseMember(config, 'Labels', `the key ${twice.key} is there twice`)
  const own = labels?.find(label => KUBELETS_OWN_LABELS.has(label.key))
  if (own) refuseMember(config, 'Labels', `the key ${own.key} is set by each machine's kubelet itself`)
  refuseOurs(config, 'Labels', labels)
  return labels
}

/** `Taints` of a KubernetesConfig; key and effect together are unique. Undefined if absent. */
export function optionalTaints(config: Members): readonly Taint[] | undefined {
  const taints = optionalObjects(config, 'Taints')?.map(taint => ({
    key: labelKey(taint), value: labelValue(taint),
    effect: optionalWord(taint, 'Effect', ['NoSchedule', 'NoExecute', 'PreferNoSchedule']) ?? missing(taint, 'Effect'),
  }))
  const twice = taints?.find((taint, index) => taints.findIndex(other => other.key === taint.key && other.effect === taint.effect) !== index)
  if (twice) refuseMember(config, 'Taints', `the key ${twice.key} is there twice with the effect ${twice.effect}`)
  refuseOurs(config, 'Taints', taints)
  return taints
}

function refuseOurs(config: Members, name: 'Labels' | 'Taints', sent: readonly Label[] = []): void {
  const ours = sent.find(({ key }) => key.startsWith(OURS))
  if (ours) refuseMember(config, name, `the key ${ours.key} begins with ${OURS}, by which nodes are marked for Edgehold itself; choose another key, or leave it out, also where the node pool has it from before: no node gets it`)
}

function labelKey(from: Members): string {
  const key = requiredText(from, 'Key')
  const [name = '', prefix] = key.split('/').toReversed()
  if (key.split('/').length > 2) refuseMember(from, 'Key', 'it may hold one slash, between prefix and name')
  if (prefix !== undefined && (prefix.length > 253 || !SUBDOMAIN.test(prefix))) refuseMember(from, 'Key', 'what stands before the slash must be a DNS name')
  if (!NAME.test(name)) refuseMember(from, 'Key', 'its name must have 1 to 63 letters, digits, - _ and ., with a letter or digit first and last')
  return key
}

function labelValue(from: Members): string {
  const value = optionalText(from, 'Value') ?? ''
  if (value !== '' && !NAME.test(value)) refuseMember(from, 'Value', 'it must be empty or have 1 to 63 letters, digits, - _ and ., with a letter or digit first and last')
  return value
}
