import { rfc3339Seconds } from '../time.ts'
import type { NodeFacts } from './record.ts'

/** What its machine's provider answers to the order to switch it, as a clause; of its node, and where machines are listed. */
export function switchingFails({ to, text, since }: NonNullable<NodeFacts['notSwitched']>): string {
  return `switching it ${to} fails since ${rfc3339Seconds(since)}: ${text}`
}
