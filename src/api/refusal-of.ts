import { Refusal, isRefusal } from '#model/errors/catalogue.ts'

/**
 * What a caller is told of an error. Errors of the ports are told apart by `kind`; all that is left is `InternalError`, whose text says nothing of the
 * inside. `requestId` is what the caller may quote.
 */
export function refusalOf(error: unknown, requestId: string): Refusal {
  if (isRefusal(error)) return error
  const kind = kindOf(error)
  switch (kind) {
    case 'StoreUnavailable': return new Refusal('ServiceUnavailable', { why: 'the database cannot be reached' })
    case 'TenantClusterUnreachable': return new Refusal('ServiceUnavailable', { why: 'the API of the cluster cannot be reached' })
    case 'WorldTaken': return new Refusal('ServiceUnavailable', { why: 'another server runs the region now' })
    case 'StaleRevision': return new Refusal('ServiceUnavailable', { why: 'the resource was changed by another call at the same moment' })
    case 'NameTaken': return nameTaken(error)
    default:
  }
  // fastify's own refusals of a request, such as a wrong Content-Length.
  const status = statusOf(error)
  if (status !== undefined && status >= 400 && status < 500) return new Refusal('InvalidParameter.BodyFormat', { why: 'it could not be read' })
  return new Refusal('InternalError', { requestId })
}

function kindOf(error: unknown): unknown {
  return error instanceof Error && 'kind' in error ? error.kind : undefined
}

/** Where two calls crossed, the database does not say which name it was: the caller knows what it sent. */
function nameTaken(error: unknown): Refusal {
  const taken = error instanceof Error && 'taken' in error && typeof error.taken === 'string' ? error.taken : undefined
  return taken === undefined
    ? new Refusal('Conflict.{Parameter}', { Parameter: 'Name', value: 'that was sent', by: 'another call took it at the same moment' })
    : new Refusal('Conflict.{Parameter}', { Parameter: 'Name', value: taken, by: 'another resource has it' })
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined
}
