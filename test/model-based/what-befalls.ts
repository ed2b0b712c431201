import type { Command } from './calls-of-users.ts'
import { idOf } from './oracle/view.ts'
import { nameOf, pick } from './player.ts'

const STEPS = ['1s', '7s', '30s', '1m', '5m', '16m', '1h', '3h', '1d', '9d'] as const
const KINDS = ['Machine', 'LoadBalancer', 'SecurityGroup', 'Nat'] as const
const IMAGES = ['metrics-server', 'ingress-nginx-controller', 'log-collector', 'prometheus-agent'] as const
/** Calls and happenings of the ports as InjectFault names them, with the effects that each can suffer. */
// oxfmt-ignore
const FAULTS: readonly (readonly [port: string, call: string | undefined, effects: readonly string[], codes?: readonly string[]])[] = [
  ['machines', 'ensure', ['fail', 'hang', 'slow', 'stutter', 'half', 'double'], ['StockOut', 'LimitedByQuota', 'Broken']],
  ['machines', 'ensureGone', ['fail', 'hang', 'half', 'double', 'protected', 'stutter', 'lie']], ['machines', 'look', ['fail', 'hang', 'stutter', 'lie']],
  ['machines', 'boot', ['fail', 'slow']], ['machines', 'preflight', ['fail']], ['machines', 'contact', ['fail', 'hang', 'slow']], ['machines', 'download', ['fail', 'slow']],
  ['machines', 'kubelet', ['silent', 'fail', 'stutter']], ['machines', 'crash', ['fail', 'half']], ['machines', 'runScript', ['fail']],
  ['control-plane-host', 'ensure', ['fail', 'hang', 'half', 'double', 'stutter', 'lie']], ['control-plane-host', 'ensureGone', ['fail', 'hang', 'half', 'double', 'protected', 'lie']],
  ['control-plane-host', 'ensureStopped', ['fail', 'half', 'lie']], ['control-plane-host', 'look', ['fail', 'hang', 'lie']], ['control-plane-host', 'ensureRoutes', ['fail', 'half']],
  ['control-plane-host', 'kube-apiserver', ['fail', 'slow', 'silent', 'stutter']], ['control-plane-host', 'kube-scheduler', ['fail']], ['control-plane-host', 'etcd', ['fail', 'stutter']],
  ['tenant-cluster', 'ensureBase', ['fail', 'half', 'lie']], ['tenant-cluster', 'ensureMembers', ['fail', 'half', 'lie']], ['tenant-cluster', 'ensureNodeGone', ['fail', 'hang', 'half', 'lie']],
  ['tenant-cluster', 'ensureNodeConfig', ['fail', 'half', 'stutter']], ['tenant-cluster', 'probe', ['fail', 'hang', 'lie']], ['tenant-cluster', 'getNode', ['fail', 'lie']],
  ['tenant-cluster', 'room', ['fail', 'lie']], ['tenant-cluster', 'issueBootstrapToken', ['fail', 'half']], ['tenant-cluster', 'setSchedulable', ['fail', 'half']], ['tenant-cluster', 'evict', ['fail', 'half']],
  ['outside', 'ensure', ['fail', 'hang', 'half', 'double', 'stutter'], ['StockOut', 'LimitedByQuota', 'Broken']], ['outside', 'ensureGone', ['fail', 'hang', 'half', 'protected', 'lie']], ['outside', 'look', ['fail', 'lie']],
  ['addon-installer', 'ensure', ['fail', 'hang', 'half', 'double', 'stutter', 'lie']], ['addon-installer', 'ensureGone', ['fail', 'half', 'protected', 'lie']], ['addon-installer', 'look', ['fail', 'hang', 'lie']],
  ['addon-installer', 'container', ['fail', 'stutter']],
]

/** What happens to a region besides its callers: time, machines, money, limits, faults, and the end of its server. */
export const WHAT_BEFALLS: Readonly<Record<string, Command>> = {
  time: {
    weight: 12,
    async run(player, { a }) {
      const Step = pick(STEPS, a)
      const { result } = await player.call('SetClock', { Step })
      if (result['Behind'] !== undefined) player.wrong.push(`after a step of ${Step} the region is behind by ${JSON.stringify(result['Behind'])}`)
      return `${Step} pass`
    },
  },
  machine: {
    weight: 3,
    async run(player, { a, b }) {
      const machine = pick(player.view.machines, a)
      const [what, how] = pick([['is switched off', { Power: 'off' }], ['is switched on', { Power: 'on' }], ['loses its power', { Power: 'crash' }], ['is cut off', { Link: 'cut' }], ['is connected again', { Link: 'up' }]] as const, b) ?? []
      if (!machine || !how) return undefined
      return `the machine ${nameOf(machine)} ${what}${player.outcome(await player.call('SetMachine', { Id: idOf(machine), ...how }))}`
    },
  },
  removeMachine: {
    weight: 1,
    async run(player, { a }) {
      const machine = pick(player.view.machines, a)
      if (!machine) return undefined
      return `the machine ${nameOf(machine)} is removed by hand${player.outcome(await player.call('RemoveMachine', { Id: idOf(machine) }))}`
    },
  },
  balance: {
    weight: 2,
    async run(player, { a }) {
      const how = pick([{ Amount: -1 }, { Amount: 0.01 }, { Unlimited: true }, { Amount: 5 }], a)
      return `the account's balance is ${JSON.stringify(how)}${player.outcome(await player.call('SetBalance', how ?? {}))}`
    },
  },
  limits: {
    weight: 2,
    async run(player, { a, b, c }) {
      const Kind = pick(KINDS, a), action = c % 2 === 0 ? 'SetStock' : 'SetQuota'
      const how = b % 3 === 2 ? { Unlimited: true } : { [action === 'SetStock' ? 'Count' : 'Limit']: b % 3 }
      return `${action} of ${Kind} is ${JSON.stringify(how)}${player.outcome(await player.call(action, { Kind, ...how }))}`
    },
  },
  workload: {
    weight: 2,
    async run(player, { a, b }) {
      const cluster = pick(player.view.clusters, a), Pods = (b % 4) * 4
      if (!cluster) return undefined
      player.busy.add(idOf(cluster))
      return `users of ${nameOf(cluster)} want ${Pods} pods${player.outcome(await player.call('SetWorkload', { ClusterId: idOf(cluster), Name: 'batch', Pods, Cpu: '1', MemoryMiB: 512 }))}`
    },
  },
  object: {
    weight: 1,
    async run(player, { a, b }) {
      const cluster = pick(player.view.clusters, a)
      if (!cluster) return undefined
      const [kind = '', name = ''] = pick([['IngressPolicy', 'first'], ['Deployment', 'metrics-server'], ['ServiceMonitor', 'mine']], b) ?? []
      const namespace = kind === 'Deployment' ? { Namespace: 'kube-system' } : {}
      const answer = await player.call('PutObject', { ClusterId: idOf(cluster), Kind: kind, ...namespace, Name: name, ...kind !== 'Deployment' && { Finalizers: ['example.com/hold'] } })
      if (answer.status === 200) player.objects.push({ clusterId: idOf(cluster), kind, name })
      return `a user of ${nameOf(cluster)} makes the ${kind} ${name}${player.outcome(answer)}`
    },
  },
  image: {
    weight: 1,
    async run(player, { a, b }) {
      const Name = pick(IMAGES, a)
      await player.call('SetImage', { Name, Present: b % 2 === 1 })
      return `the image ${Name} is ${b % 2 === 1 ? 'pushed again' : 'taken from the registry'}`
    },
  },
  fault: {
    weight: 6,
    async run(player, { a, b, c }) {
      const [Port, Call, effects, codes] = pick(FAULTS, a) ?? FAULTS[0]!
      const Type = pick(effects, b), Code = codes && Type === 'fail' ? pick(codes, c) : undefined
      const body = {
        Port, ...Call !== undefined && { Call }, Effect: { Type, ...Code !== undefined && { Code }, ...(Type === 'slow' || (Type === 'hang' && c % 2 === 0)) && { For: pick(['20s', '3m', '20m'], c) } },
        ...c % 4 !== 3 && { Times: 1 + c % 3 },
      }
      player.faults += 1
      return `${Port} ${Call} suffers ${Type}${Code ? ` as ${Code}` : ''}${c % 4 === 3 ? ' always' : ` ${1 + c % 3} times`}${player.outcome(await player.call('InjectFault', body))}`
    },
  },
  answers: {
    weight: 1,
    async run(player, { a, b }) {
      const Call = pick(['CreateCluster', 'CreateEdgeNodePool', 'CreateEdgeNode', 'ScaleUpEdgeNodePool', 'DeleteCluster', 'DeleteNodePool', 'AddMachine'], a), Type = pick(['half', 'fail', 'double', 'silent'], b)
      await player.call('InjectFault', { Port: 'api', Call, Effect: { Type, ...Type === 'fail' && { Code: a % 2 === 0 ? 429 : 503 } }, Times: 1 + b % 3 })
      player.cutAnswers = true
      return `answers to ${Call} suffer ${Type} ${1 + b % 3} times`
    },
  },
  clearFaults: {
    weight: 1,
    async run(player) {
      await player.call('ClearFault', { All: true })
      player.faults = 0
      player.cutAnswers = false
      return 'all faults end'
    },
  },
  crash: {
    weight: 3,
    async run(player, { a, b }) {
      const at = a % 40
      player.region.dieAt(at, b % 2 === 0 ? 'before' : 'after')
      return `the server will die ${b % 2 === 0 ? 'before' : 'after'} its effect ${at} from here`
    },
  },
  restart: {
    weight: 1,
    async run(player) {
      await player.region.reopen()
      return 'the server is killed and comes back'
    },
  },
}
