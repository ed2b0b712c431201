import { Type } from 'typebox'
import { Labels, Taints, Text, Whole } from './shapes.ts'

/** The nested objects of a node pool's body (api.md 4). */
export const KubernetesConfig = Type.Object({
  Labels: Type.Optional(Labels),
  Taints: Type.Optional(Taints),
})

/** `PrePaidPeriod` is a number in one source and a unit's text in another. */
export const BillingConfigs = Type.Object({
  PrePaidPeriod: Type.Optional(Type.Union([Whole, Text])),
  PrePaidPeriodNumber: Type.Optional(Whole),
  AutoRenew: Type.Optional(Type.Boolean()),
})

/** Only elastic pools have it, and they are refused by their type. */
export const ElasticConfig = Type.Object({})
