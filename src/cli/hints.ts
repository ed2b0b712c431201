/** What to do next, by the catalogue's code; codes whose sentence says it already are not here. */
const HINTS: Readonly<Record<string, string>> = {
  InvalidAccessKey: 'The keys are not of this server: check --state, --endpoint and the VOLCENGINE_… variables.',
  SignatureDoesNotMatch: 'The secret key is not the one of this access key: check --state and VOLCENGINE_SECRET_KEY.',
  InvalidTimestamp: 'Set the clock of this machine, then try again.',
  InvalidActionOrVersion: 'See /openapi.json of the server for its actions; --version names another version.',
  InvalidCredential: 'See the regions with "edgehold region list"; --region names one of them, and "edgehold region create NAME" makes one.',
  'NotFound.DefaultNodePool': 'From here: "edgehold create pool default --central --cluster CLUSTER", or name a pool with --pool.',
  'OperationDenied.ClusterStatus': 'See "edgehold explain cluster NAME"; "edgehold get cluster NAME --wait" waits until it is Running.',
  'OperationDenied.NodePoolStatus': 'See "edgehold explain pool NAME"; "edgehold get pool NAME --wait" waits until it is Running.',
  'OperationDenied.NodeStatus': 'See "edgehold explain node NAME".',
  'OperationDenied.DeleteProtection': 'From here: "edgehold update cluster NAME --delete-protection off", or "edgehold delete cluster NAME --force".',
  'OperationDenied.RegionNotSimulated': 'Name a simulated region with --region; "edgehold region list" shows them.',
  'OperationDenied.RegionNotReady': 'See what the region waits for with "edgehold region list".',
}

/** A deletion that is refused for now: what to wait for is not that it works again. */
const DELETION_HINTS: Readonly<Record<string, string>> = {
  'OperationDenied.ClusterStatus': 'See "edgehold explain cluster NAME". With --wait the deletion is asked for again until it is accepted, and one that is under way is waited for.',
  'OperationDenied.NodePoolStatus': 'See "edgehold explain pool NAME". With --wait the deletion is asked for again until it is accepted, and one that is under way is waited for.',
}

/** `verb`: the command's first word. */
export function hintFor(error: Error, verb?: string): string | undefined {
  if (verb === 'delete' && 'code' in error && typeof error.code === 'string' && error.code in DELETION_HINTS) return DELETION_HINTS[error.code]
  if ('code' in error && typeof error.code === 'string' && error.code in HINTS) return HINTS[error.code]
  if ('neverSent' in error && error.neverSent === true) return 'Start the server with "edgehold up --detach", or name another with --state or --endpoint.'
  if ('kind' in error && error.kind === 'NoAnswer') return 'Whether the call was done is not known: look with "edgehold list" before you try again.'
  if ('kind' in error && error.kind === 'WaitedInVain') return 'hint' in error && typeof error.hint === 'string' ? error.hint : 'It goes on without us: see "edgehold explain", or wait longer with --timeout.'
  return undefined
}
