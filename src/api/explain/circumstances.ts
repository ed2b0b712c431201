import type { AddonRecord } from '#model/addon/record.ts'
import { minorOf } from '#model/addon/validate.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { isRequiredAddon } from '../add-ons.ts'
import type { ActionContext } from '../action.ts'

/** What refuses calls, or makes them lead nowhere, besides the status of what they are about. */
export interface Circumstances {
  /** A clause: the region takes no writes at all. */
  readonly refusesWrites?: string | undefined
  /** The account is in arrears and its grace time is over. */
  readonly inArrears?: boolean
  readonly cannotCordon?: boolean
  /** Of the add-on: it is part of every cluster. */
  readonly isRequired?: boolean
  /** Of the add-on: there is no version of it but the one that it has. */
  readonly hasOneVersion?: boolean
}

export async function circumstancesOf({ region, scope, store }: ActionContext, { addon, cluster }: { readonly addon?: AddonRecord; readonly cluster?: ClusterRecord }): Promise<Circumstances> {
  const { stoppedSince } = await store.findAccount(scope)
  return {
    // Another server takes them where that one runs the region.
    refusesWrites: region.elsewhere?.() === undefined ? region.refusesWrites?.()?.why : undefined,
    inArrears: stoppedSince !== undefined,
    cannotCordon: region.setSchedulable === undefined,
    ...addon && { isRequired: isRequiredAddon(region, addon.spec.name), hasOneVersion: cluster !== undefined && hasOneVersion(region, addon, cluster) },
  }
}

function hasOneVersion({ addons }: ActionContext['region'], { spec: { name, version } }: AddonRecord, { spec: { servedVersion } }: ClusterRecord): boolean {
  const supported = addons?.catalogue().find(one => one.name === name)
  return supported !== undefined && !supported.versions.some(one => one.version !== version && one.kubernetes.includes(minorOf(servedVersion)))
}
