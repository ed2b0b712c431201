import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { Type } from 'typebox'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { FAULT_EFFECTS, type FaultOrder } from '#ports/region-world.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { answerFaultComplaint } from '../answer-faults.ts'
import { checkFaultTarget } from '../fault-target.ts'
import { tokenOf } from '../idempotency.ts'
import { faultsOf } from '../simulated-world.ts'
import { Id, TOKEN, Text, Whole, given } from './shapes.ts'
import { instantOf, spanOf } from './time-texts.ts'

export const InjectFault = defineAction({
  name: 'InjectFault',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Lets calls of a port, or what happens behind it, go wrong in a simulated region, or our own answers (Port api); it stays until its Times or Until are over, or it is cleared.',
  schema: Type.Object({
    Port: Text,
    Call: Type.Optional(Text),
    Target: Type.Optional(Type.Object({ Kind: Type.Optional(Text), Id: Type.Optional(Id), Name: Type.Optional(Text), Label: Type.Optional(Text), Nth: Type.Optional(Whole) })),
    Effect: Type.Object({
      Type: Type.Union(FAULT_EFFECTS.map(effect => Type.Literal(effect))),
      Code: Type.Optional(Type.Union([Text, Type.Integer()])), Message: Type.Optional(Type.String({ maxLength: 4096 })), For: Type.Optional(Text),
    }),
    Times: Type.Optional(Whole),
    From: Type.Optional(Text),
    Until: Type.Optional(Text),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { action, now } = context
    const faults = faultsOf(context)
    const { Target: target, Effect: effect } = body
    const order = given({
      port: body.Port, call: body.Call, times: body.Times, from: instantOf(action, 'From', body.From), until: instantOf(action, 'Until', body.Until),
      target: target && given({ kind: target.Kind, id: target.Id, name: target.Name, label: target.Label, nth: target.Nth }),
      effect: given({ type: effect.Type, code: effect.Code?.toString(), message: effect.Message, for: spanOf(action, 'Effect.For', effect.For) }),
    }) as FaultOrder
    const complaint = faults.complaint(order) ?? (order.port === 'api' ? answerFaultComplaint(order) : undefined)
    if (complaint) refuseParameter(action, complaint.member, complaint.why)
    // The list of actions has this one in it, so that it is read when it is whole.
    const { ACTIONS } = await import('./all.ts')
    const called = order.port === 'api' && order.call !== undefined ? ACTIONS.find(each => each.name === order.call) ?? refuseParameter(action, 'Call', 'no action has that name') : undefined
    await checkFaultTarget(context, faults, order, called)
    const token = tokenOf(body), named = token === undefined ? undefined : `f${hash('sha256', `${context.scope.accountId}/${token}`, 'hex').slice(0, 20)}`
    // A repeat is known by the fault's own id: faults stand in the world, and no record of ours has them.
    const before = named === undefined ? undefined : faults.list().find(fault => fault.id === named)
    if (before) return isDeepStrictEqual(orderOf(before), order) ? { Id: before.id } : refuse('IdempotentParameterMismatch', { action })
    // Drawn with a token, too: what is made after it has the same id with one and without.
    const drawn = context.randomBytes(6), id = named ?? `f${now.toString(36)}-${Buffer.from(drawn).toString('hex')}`
    await faults.inject(id, order)
    return { Id: id }
  },
})

/** What was ordered of a fault that stands. */
function orderOf({ port, call, target, effect, times, from, until }: FaultOrder): FaultOrder {
  return given({ port, call, times, from, until, target, effect }) as FaultOrder
}
