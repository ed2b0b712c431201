import type { Evidence } from '#model/evidence.ts'
import type { NodeFacts } from '#model/node/record.ts'
import type { FactsChange } from '#model/with-facts.ts'
import type { NodePassSeen } from './seen.ts'

/** A process that died tells nobody, so that its logins are looked at now and then by whoever runs the region. */
export const LOGIN_LOOK_MS = 2_000

const LOST = 'the server ended before it had logged in; the password is not kept: delete the node and send CreateEdgeNode again'

/** Whether a script was started whose start nobody wrote down is told by its contact, which takes seconds. */
const CONTACT_MS = 60_000
const SILENT = 'the server ended when it had logged in, and the onboarding script has not been heard of within a minute; the password is not kept: delete the node and send CreateEdgeNode again'

/** A login that no process is under way with cannot be gone on with, unless its machine came all the same. */
export function loginNews({ now, record: { spec, facts }, loginUnderWay }: NodePassSeen): { change: FactsChange<NodeFacts>; evidence: readonly Evidence[] } {
  if (!facts.login || loginUnderWay) return { change: {}, evidence: [] }
  if (facts.joinedAt !== undefined) return { change: { login: undefined }, evidence: [] }
  const { loggedInAt } = facts.login
  if (loggedInAt !== undefined && now - loggedInAt < CONTACT_MS) return { change: {}, evidence: [] }
  return {
    change: { login: undefined, initialiseFailed: { step: 'login', text: loggedInAt === undefined ? LOST : SILENT, at: now } },
    evidence: [{ observer: 'node controller', source: `login at ${spec.login?.address ?? spec.name}`, observedAt: now, fact: 'No process is under way with it any more.' }],
  }
}
