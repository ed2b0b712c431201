/**
 * Every error that the API answers. Text is an interface too: the official Terraform provider takes an error for "it is gone" when its HTTP status
 * is 404 or its text contains `invalid`, `not found` or `not exist` in any case. So list and delete actions refuse a parameter with
 * `ParameterOutOfRange.{Parameter}` instead of `InvalidParameter.{Parameter}` (see `refuseParameter`), and no other row that such an action can answer
 * has one of those words; a test scans the rows per action. Gateway rows keep the platform's own codes (api.md 1.3): they answer before an action is
 * known. CodeN: 1000xx are the platform's; the product's service numbers are not known, ours begin at 200001.
 */
export type ApiErrorRow = readonly [code: string, httpStatus: number, codeN: number, message: string]

function errorTable<const Rows extends readonly ApiErrorRow[]>(rows: Rows): Rows {
  return rows
}

// oxfmt-ignore
export const API_ERRORS = errorTable([
  // code                                http CodeN   message
  // The gateway, before an action is known (api.md 1.3).
  ['MissingParameter',                   400, 100002, 'The query has no {Parameter}.'],
  ['MissingAuthenticationToken',         401, 100003, 'The request carries no authentication: sign it with an access key.'],
  ['MissingRequestInfo',                 400, 100004, 'The request lacks {what}.'],
  ['MissingSignature',                   401, 100005, 'The request carries no signature.'],
  ['InvalidTimestamp',                   400, 100006, 'The time of the request, {date}, is more than {window} s away from ours, {now}.'],
  ['ServiceNotFound',                    404, 100007, 'There is no service {service} here.'],
  ['InvalidActionOrVersion',             404, 100008, 'There is no action {action} in version {version} of {service}.'],
  ['InvalidAccessKey',                   401, 100009, 'The access key {accessKeyId} is unknown here.'],
  ['SignatureDoesNotMatch',              401, 100010, 'The signature is not the one that the access key gives for this request: {why}.'],
  ['AccessDenied',                       403, 100013, 'Not allowed: {why}.'],
  ['InternalError',                      500, 100014, 'Something went wrong here. Quote request {requestId}.'],
  ['InternalServiceTimeout',             504, 100016, 'The request was not done in time; it may be sent again.'],
  ['InvalidAuthorization',               400, 100017, 'The Authorization is malformed: {why}.'],
  ['InvalidCredential',                  400, 100018, 'The Credential cannot be used: {why}.'],
  ['InvalidSecretToken',                 401, 100019, 'The session token is unknown or has ended.'],
  ['FlowLimitExceeded',                  429, 100020, 'Too many calls of {action} by this account: at most {limit} a second. Try again in {retryAfter} s.'],
  ['MethodNotAllowed',                   405, 100021, 'The method {method} is not served here; send POST.'],
  ['RequestTooLarge',                    413, 100022, 'The body is larger than {limit} bytes.'],
  ['ServiceUnavailable',                 503, 100023, 'Not ready yet: {why}. It may be sent again.'],
  // Parameters. The ParameterOutOfRange row is the InvalidParameter of actions that list or delete.
  ['MissingParameter.{Parameter}',       400, 200001, 'The parameter {Parameter} is required.'],
  ['InvalidParameter.{Parameter}',       400, 200002, 'The parameter {Parameter} is not valid: {why}.'],
  ['ParameterOutOfRange.{Parameter}',    400, 200003, 'The parameter {Parameter} cannot be used: {why}.'],
  ['InvalidParameter.BodyFormat',        400, 200004, 'The body is not a JSON object: {why}.'],
  ['MalformedBody',                      400, 200005, 'The body is not a JSON object: {why}.'],
  ['IdempotentParameterMismatch',        400, 200006, 'The ClientToken was used before by {action} with other parameters.'],
  // Things that are not there, or are there already.
  ['NotFound.{Resource}',                404, 200101, 'There is no {Resource} {id}: it does not exist, or belongs to another account or region.'],
  ['NotFound.DefaultNodePool',           400, 200102, 'The cluster {id} has no default node pool: make it with CreateDefaultNodePool, or name a NodePoolId.'],
  ['Conflict.{Parameter}',               409, 200103, 'The {Parameter} {value} is taken: {by}.'],
  // Refused in this status, or on principle.
  ['OperationDenied.ClusterStatus',      400, 200201, '{text}'],
  ['OperationDenied.NodePoolStatus',     400, 200202, '{text}'],
  ['OperationDenied.NodeStatus',         400, 200203, '{text}'],
  ['OperationDenied.DeleteProtection',   400, 200204, 'The cluster {id} has deletion protection: switch it off with UpdateClusterConfig, or send Force.'],
  ['OperationDenied.DefaultRegion',      400, 200214, 'The region {region} stays: it is the default region of this server, to which calls go that name no other. What is in it goes by calls of its own.'],
  ['OperationDenied.RegionNotReady',     400, 200207, 'The region {region} takes no such order now: {why}.'],
  ['OperationDenied.AddonStatus',        400, 200212, '{text}'],
  ['OperationDenied.RequiredAddon',      400, 200213, 'The add-on {name} is part of every cluster: it is forbidden to delete required addon.'],
  ['OperationDenied.Balance',            400, 200211, 'The account is in arrears since {arrearsSince}, and its grace time ended at {since}: {action} is taken again once it is paid.'],
  ['OperationDenied.RegionNotSimulated', 400, 200209, 'The region {region} is real: {action} arranges what happens in a simulated one, such as sim-1.'],
  ['OperationDenied.Machine',            400, 200208, 'The machine {id} cannot do that now: {why}.'],
  ['OperationDenied.AutoScaling',        400, 200220, 'The node pool {id} scales by itself; to add servers by hand, send AutoScaling.Enabled false with UpdateNodePoolConfig.'],
  ['QuotaExceeded.Node',                 400, 200301, 'The node pool {id} may have {limit} machines at most, by its MaxReplicas, and would have {wanted}.'],
])

export type ApiErrorCode = (typeof API_ERRORS)[number][0]

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never
type RowOf<Code extends ApiErrorCode> = Extract<(typeof API_ERRORS)[number], readonly [Code, ...unknown[]]>
/** What a code's own text and its message need filled in. */
export type ErrorParameters<Code extends ApiErrorCode> = Readonly<Record<Placeholders<RowOf<Code>[0]> | Placeholders<RowOf<Code>[3]>, string | number>>

/** The caller is wrong: goes to the API caller as it is, and is never retried. */
export class Refusal extends Error {
  readonly kind = 'Refusal'
  /** The row, e.g. `InvalidParameter.{Parameter}`. */
  readonly code: ApiErrorCode
  /** As it stands on the wire, e.g. `InvalidParameter.Name`. */
  readonly wireCode: string
  readonly httpStatus: number
  readonly codeN: number
  readonly parameters: Readonly<Record<string, string | number>>

  constructor(code: ApiErrorCode, parameters: Readonly<Record<string, string | number>>) {
    const row = API_ERRORS.find(candidate => candidate[0] === code)
    if (!row) throw new Error(`E-CATALOGUE: the error catalogue has no row ${code}`)
    super(fill(row[3], parameters))
    this.code = code
    this.wireCode = fill(code, parameters)
    this.httpStatus = row[1]
    this.codeN = row[2]
    this.parameters = parameters
  }
}

/** Throws the Refusal of that row. */
export function refuse<const Code extends ApiErrorCode>(code: Code, parameters: ErrorParameters<Code>): never {
  throw new Refusal(code, parameters)
}

/** Told by kind, not by class, so that it is known across processes and realms. */
export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'kind' in error && error.kind === 'Refusal'
}

/** True for actions during which clients read "invalid" as "gone": those that look and those that remove. */
export function isGentle(action: string): boolean {
  return /^(List|Delete|Describe|Get|Explain|Preview|Remove|Clear|ScaleDown|Watch)/.test(action)
}

/** Throws the row that says why a parameter cannot be used, in words that fit the action. `why` is a clause without a full stop; in gentle actions it must not repeat the value. */
export function refuseParameter(action: string, parameter: string, why: string): never {
  if (isGentle(action)) refuse('ParameterOutOfRange.{Parameter}', { Parameter: parameter, why })
  refuse('InvalidParameter.{Parameter}', { Parameter: parameter, why })
}

/** Throws the row for a body that is not a JSON object. */
export function refuseBody(action: string, why: string): never {
  if (isGentle(action)) refuse('MalformedBody', { why })
  refuse('InvalidParameter.BodyFormat', { why })
}

/** Words that make clients believe that a thing is gone (terraform-needs.md 2). */
export const GONE_WORDS = ['notfound', 'not found', 'not exist', 'notexist', 'not_found', 'not associate', 'invalid'] as const

/** True if a client would read the text as "it is gone". */
export function soundsGone(text: string): boolean {
  const lower = text.toLowerCase()
  return GONE_WORDS.some(word => lower.includes(word))
}

function fill(template: string, parameters: Readonly<Record<string, string | number>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole))
}
