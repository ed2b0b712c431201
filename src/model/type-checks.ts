/** The tests of the types: `tsc` fails if a pair outside the tables compiles, or if one inside does not. */
import type { AddonStatus } from './addon/status.ts'
import type { ClusterStatus } from './cluster/status.ts'
import { refuse, type ErrorParameters } from './errors/catalogue.ts'
import type { NodePoolStatus } from './node-pool/status.ts'
import type { NodeStatus } from './node/status.ts'
import type { OnboardingStatus } from './onboarding/status.ts'
import type { Precondition } from './preconditions.ts'
import type { Exits } from './status/exit.ts'

export const cluster: ClusterStatus = { phase: 'Failed', conditions: ['Balance', 'ResourceCleanupFailed'] }
// @ts-expect-error a Running cluster has no condition Balance
export const clusterPair: ClusterStatus = { phase: 'Running', conditions: ['Balance'] }
// @ts-expect-error a status says why: no empty conditions
export const clusterReason: ClusterStatus = { phase: 'Running', conditions: [] }
// @ts-expect-error clusters do not scale
export const clusterPhase: ClusterStatus = { phase: 'Scaling', conditions: ['Progressing'] }

export const pool: NodePoolStatus = { phase: 'Running', conditions: ['StockOut'] }
// @ts-expect-error a pool that scales is Progressing
export const poolPair: NodePoolStatus = { phase: 'Scaling', conditions: ['Ok'] }
// @ts-expect-error pools are never Stopped
export const poolPhase: NodePoolStatus = { phase: 'Stopped', conditions: ['Balance'] }

export const node: NodeStatus = { phase: 'Stopped', conditions: ['Ok'] }
// @ts-expect-error NotReady is a failure
export const nodePair: NodeStatus = { phase: 'Running', conditions: ['NotReady'] }
// @ts-expect-error the clients' misspelling is read, never said
export const nodeSpelling: NodeStatus = { phase: 'Failed', conditions: ['InitilizeFailed'] }

export const addon: AddonStatus = { phase: 'Failed', conditions: ['CrashLoopBackOff', 'ImagePullBackOff'] }
// @ts-expect-error an add-on that lacks pods is Failed in the seed
export const addonPair: AddonStatus = { phase: 'Running', conditions: ['Degraded'] }

export const onboarding: OnboardingStatus = { phase: 'Creating', conditions: ['Ok'] }
// @ts-expect-error an onboarding script never runs
export const onboardingPair: OnboardingStatus = { phase: 'Running', conditions: ['Ok'] }

// @ts-expect-error a precondition may name only pairs of the table
export const precondition: Precondition = { cluster: [['Running', ['Balance']]] }
// @ts-expect-error every row has a way out
export const exits: Exits<'Running/Ok' | 'Failed/Unknown'> = { 'Running/Ok': [['call', 'DeleteCluster']] }
// @ts-expect-error an error's every placeholder is filled in
export const parameters: ErrorParameters<'NotFound.{Resource}'> = { Resource: 'Cluster' }
// @ts-expect-error only codes of the catalogue are refused with
export const unknownCode = () => refuse('Oops', {})
