import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { usersOf, withCluster } from '../simulated-world.ts'
import { LabelText } from './PutObject.ts'
import { Id, Whole } from './shapes.ts'

const MOST_PODS = 100_000

export const SetWorkload = defineAction({
  name: 'SetWorkload',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Sets how many pods of a workload a user of a simulated cluster wants, and what each asks for; pools that scale by themselves grow for those that find no room.',
  schema: Type.Object({ ClusterId: Id, Name: LabelText, Pods: Whole, Cpu: Type.Optional(Type.Union([Type.Number({ minimum: 0, maximum: 1_000_000 }), Type.String({ maxLength: 20 })])), MemoryMiB: Type.Optional(Whole) }),
  run: async (context, body) => {
    const { users, cluster } = await usersOf(context, body.ClusterId)
    if (body.Pods > MOST_PODS) refuseParameter(context.action, 'Pods', `it is at most ${MOST_PODS}`)
    const cpuMillis = millisOf(context.action, body.Cpu ?? '100m')
    await withCluster(cluster, () => users.setWorkload({ clusterId: cluster.id, name: body.Name, pods: body.Pods, cpuMillis, memoryMiB: body.MemoryMiB ?? 64 }))
    return {}
  },
})

/** Kubernetes' quantities of CPU: `2`, `0.5`, `250m`. */
function millisOf(action: string, cpu: number | string): number {
  const [, number, milli] = /^(\d{1,9}(?:\.\d{1,3})?)(m?)$/.exec(String(cpu)) ?? []
  if (number === undefined) return refuseParameter(action, 'Cpu', 'it is a number of processors such as 2, 0.5 or 250m')
  return Math.round(Number(number) * (milli === 'm' ? 1 : 1_000))
}
