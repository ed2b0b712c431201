import { refuseParameter } from './errors/catalogue.ts'

/** Which of the served versions runs for the text that a caller sent (design 7). The text itself is kept and echoed. */
export interface ServedVersion {
  /** E.g. `v1.35.4`, one of `served`. */
  readonly version: string
  /** False if another minor or patch than the one asked for had to be taken. */
  readonly exact: boolean
  /** A sentence, if it had to choose. */
  readonly says?: string
}

const FORM = /^v?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?:[-+][0-9A-Za-z][0-9A-Za-z.-]{0,30})?$/

/**
 * Accepts `1.34`, `v1.34.4`, `1.34.4-edgehold.1` and the closed product's `v1.24.15-veecp.1`; without a text the newest. `served` has the newest last.
 * Refuses what is no version, and what is newer than everything served.
 */
export function servedVersion(text: string | undefined, served: readonly string[], action = 'CreateCluster'): ServedVersion {
  const newest = served.at(-1)
  if (newest === undefined) throw new Error('E-VERSIONS: no Kubernetes version is served')
  if (text === undefined) return { version: newest, exact: true }
  const asked = parse(text)
  if (!asked) refuseParameter(action, 'KubernetesVersion', 'it has not the form 1.34, v1.34.4 or v1.24.15-veecp.1')
  const choices = served.map(version => ({ version, ...(parse(version) ?? { major: 0, minor: 0, patch: 0 }) })).sort(compare)
  const sameMinor = choices.findLast(choice => choice.major === asked.major && choice.minor === asked.minor)
  const samePatch = choices.find(choice => compare(choice, { ...asked, patch: asked.patch ?? -1 }) === 0)
  if (samePatch) return { version: samePatch.version, exact: true }
  if (sameMinor && asked.patch === undefined) return { version: sameMinor.version, exact: true }
  const chosen = sameMinor ?? choices.find(choice => choice.major * 1000 + choice.minor > asked.major * 1000 + asked.minor)
  if (!chosen) refuseParameter(action, 'KubernetesVersion', `it is newer than every version served, which are ${served.join(', ')}`)
  const what = sameMinor ? 'the patch of that minor that is served' : 'the nearest newer version that is served'
  return { version: chosen.version, exact: false, says: `${text} was asked for; ${chosen.version} runs, ${what}` }
}

interface Numbers { readonly major: number; readonly minor: number; readonly patch: number | undefined }

function parse(text: string): Numbers | undefined {
  const match = FORM.exec(text)
  return match ? { major: Number(match[1]), minor: Number(match[2]), patch: match[3] === undefined ? undefined : Number(match[3]) } : undefined
}

function compare(one: Numbers, other: Numbers): number {
  return one.major - other.major || one.minor - other.minor || (one.patch ?? 0) - (other.patch ?? 0)
}
