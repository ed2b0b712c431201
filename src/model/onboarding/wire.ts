import { statusToWire } from '../status/wire.ts'
import { rfc3339Seconds } from '../time.ts'
import type { OnboardingRecord } from './record.ts'
import { ONBOARDING_SHOWS } from './status.ts'

/** An item of ListBatchEdgeMachine (terraform-needs.md 7). `bootstrapScript`: the line to run, where the caller asked for it. */
export function onboardingToWire(onboarding: OnboardingRecord, bootstrapScript?: string) {
  return {
    Id: onboarding.id, Name: onboarding.name, ClusterId: onboarding.clusterId, NodePoolId: onboarding.nodePoolId, Status: statusToWire(ONBOARDING_SHOWS),
    CreateTime: rfc3339Seconds(onboarding.createdAt), UpdateTime: rfc3339Seconds(onboarding.updatedAt), CreateClientToken: onboarding.createClientToken ?? '',
    Profile: 'Edge', EdgeNodeType: 'batch-edge-machine', TTLTime: onboarding.expiresAt,
    ...(onboarding.expirationDate === undefined ? {} : { ExpirationDate: onboarding.expirationDate }),
    ...(bootstrapScript === undefined ? {} : { BootstrapScript: bootstrapScript }),
  }
}
