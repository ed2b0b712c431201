import { FAULT_EFFECTS, unheeded, type FaultOrder, type Heeding } from '#ports/region-world.ts'
import { NODE_CALLS, PORT_CALLS, type CallKind } from './calls.ts'

export const TARGET_KINDS = ['Cluster', 'NodePool', 'Node', 'Machine', 'Addon', 'LoadBalancer', 'Nat', 'Address', 'SecurityGroup', 'Disk'] as const
/** Calls whose answer is more than that it is done, so that nobody can say it is done without doing it. */
const ANSWERS = new Set(['machines ensure', 'outside ensure', 'tenant-cluster issueBootstrapToken', 'tenant-cluster issueKubeconfig', 'tenant-cluster ensureNodeConfig', 'tenant-cluster evict'])

/** What the calls of each port are about, by the kinds that their targets have. */
const MET_BY: Readonly<Record<string, readonly string[]>> = {
  'control-plane-host': ['Cluster'], 'tenant-cluster': ['Cluster', 'NodePool', 'Node', 'Machine'], machines: ['Machine', 'Node', 'NodePool', 'Cluster'],
  outside: ['LoadBalancer', 'Nat', 'Address', 'SecurityGroup', 'Disk', 'Cluster'], 'addon-installer': ['Addon', 'Cluster'],
}
/** Of these a port hears the id and no name. */
const UNNAMED_AT: Readonly<Record<string, readonly string[]>> = { 'tenant-cluster': ['NodePool'], machines: ['NodePool', 'Cluster'], outside: ['Cluster'], 'addon-installer': ['Cluster'] }

const SAYING = ['fail', 'stutter', 'half', 'protected'] as const
const HEEDING: Heeding = { for: ['slow', 'hang', 'silent'], code: SAYING, message: SAYING }

type Target = NonNullable<FaultOrder['target']>
type Complaint = { readonly member: string; readonly why: string } | undefined

/** What keeps an order from being a fault that could ever strike. */
export function complaint(order: FaultOrder, now: number): Complaint {
  const { port, call, target, effect, times, from, until } = order
  if (!Object.hasOwn(PORT_CALLS, port)) return { member: 'Port', why: `it is one of ${Object.keys(PORT_CALLS).join(', ')}` }
  const calls = PORT_CALLS[port]
  if (call !== undefined && calls && !Object.hasOwn(calls, call)) return { member: 'Call', why: `${port} has ${Object.keys(calls).join(', ')}` }
  if (!FAULT_EFFECTS.includes(effect.type)) return { member: 'Effect.Type', why: `it is one of ${FAULT_EFFECTS.join(', ')}` }
  const kind = call === undefined || !calls ? undefined : calls[call]
  const unfit = kind && whyUnfit(effect.type, kind, `${port} ${call}`)
  if (call === undefined && effect.type === 'silent') return { member: calls && happeningsOf(port).length === 0 ? 'Effect.Type' : 'Call', why: whatFallsSilent(port) }
  if (unfit !== undefined) return { member: 'Effect.Type', why: unfit }
  if (effect.for !== undefined && !(effect.for > 0)) return { member: 'Effect.For', why: 'it is a span above nought, e.g. 90s' }
  if (effect.type === 'slow' && effect.for === undefined) return { member: 'Effect.For', why: 'a slow call says how much longer it takes, e.g. 90s' }
  const ignored = port === 'api' ? undefined : unheeded(effect, HEEDING)
  if (ignored) return ignored
  if (times !== undefined && !(times > 0)) return { member: 'Times', why: 'it is at least 1' }
  if (until !== undefined && until <= (from ?? now)) return { member: 'Until', why: 'it is not after its beginning' }
  return target && (aboutTarget(target, port === 'api' ? ['Call'] : TARGET_KINDS) ?? (port === 'api' ? undefined : aboutPort(target, port, call)))
}

function aboutTarget({ kind, id, name, label, nth }: Target, kinds: readonly string[]): Complaint {
  if ([kind, id, name, label, nth].every(part => part === undefined)) return { member: 'Target', why: 'it names nothing; leave it out for everything' }
  if (kind !== undefined && !kinds.includes(kind)) return { member: 'Target.Kind', why: `it is one of ${kinds.join(', ')}` }
  for (const [member, value] of Object.entries({ Id: id, Name: name, Label: label })) if (value === '') return { member: `Target.${member}`, why: 'it is empty' }
  return nth !== undefined && !(nth > 0) ? { member: 'Target.Nth', why: 'it counts from 1' } : undefined
}

/** What no call of the port ever concerns could never be struck. */
function aboutPort({ kind, name, label }: Target, port: string, call: string | undefined): Complaint {
  const isOfNodes = port === 'tenant-cluster' && (call === undefined || NODE_CALLS.has(call))
  const met = port === 'tenant-cluster' && !isOfNodes ? ['Cluster'] : MET_BY[port] ?? []
  const which = call === undefined ? port : `${port} ${call}`
  if (kind !== undefined && !met.includes(kind)) return { member: 'Target.Kind', why: `${which} concerns ${met.join(', ')}` }
  if (kind !== undefined && name !== undefined && UNNAMED_AT[port]?.includes(kind)) return { member: 'Target.Name', why: `at ${port} a ${kind} is known by its Id alone` }
  return label !== undefined && !isOfNodes ? { member: 'Target.Label', why: `only nodes carry labels, and ${which} concerns none: it is for tenant-cluster ${[...NODE_CALLS].join(', ')}` } : undefined
}

/** Why the effect can have no meaning at that call of a port; undefined where it has one. */
export function whyUnfit(type: FaultOrder['effect']['type'], kind: CallKind, which: string): string | undefined {
  const happens = kind === 'happening'
  if (type === 'protected' && kind !== 'removal') return 'only what takes a thing away can be refused because it is protected'
  if (type === 'silent' && !happens) return whatFallsSilent(which.replace(/ .*/, ''))
  if (happens && !['fail', 'hang', 'slow', 'stutter', 'silent'].includes(type)) return 'what happens by itself can fail, hang, be slow, stutter or be silent'
  if ((type === 'half' || type === 'double') && kind === 'look') return 'a look does nothing that could be half done or done twice'
  return type === 'lie' && ANSWERS.has(which) ? 'its answer cannot be given without doing it' : undefined
}

/** As whoever ordered silence of something else, or of nothing, needs to know it. */
function whatFallsSilent(port: string): string {
  if (!PORT_CALLS[port]) return 'what falls silent is named: the action, such as CreateCluster'
  const happenings = happeningsOf(port)
  const those = happenings.length > 0 ? `it is named: of ${port} ${happenings.join(', ')}` : `nothing of ${port} does so; machines have kubelet, and control-plane-host has kube-apiserver`
  return `only what happens by itself falls silent, and ${those}`
}

function happeningsOf(port: string): readonly string[] {
  return Object.entries(PORT_CALLS[port] ?? {}).flatMap(([call, kind]) => (kind === 'happening' ? [call] : []))
}
