import { API_ERRORS } from '#model/errors/catalogue.ts'
import type { Action } from './action.ts'
import { LAST_EVENT_ID } from './watches/resumed.ts'

/** The API's description as OpenAPI 3.1: the actions' schemas are JSON Schema already. One path an action, since all share `/`. */
export function describeActions(actions: readonly Action[], service: string): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Edgehold', version: '2026-12-01', description: `Actions of service ${service}; requests are signed with HMAC-SHA256 (Authorization header, or the query).` },
    paths: Object.fromEntries(actions.map(action => [`/?Action=${action.name}&Version=${action.version}`, action.streams ? { get: describeStream(action) } : { post: describe(action) }])),
    components: {
      securitySchemes: { signature: { type: 'apiKey', in: 'header', name: 'Authorization', description: 'HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…' } },
      schemas: { Error: ERROR, ResponseMetadata: METADATA },
    },
    security: [{ signature: [] }],
    'x-error-codes': API_ERRORS.map(([code, httpStatus, codeN, message]) => ({ code, httpStatus, codeN, message })),
  }
}

const METADATA = {
  type: 'object',
  required: ['RequestId', 'Action', 'Version', 'Service', 'Region'],
  properties: { RequestId: { type: 'string' }, Action: { type: 'string' }, Version: { type: 'string' }, Service: { type: 'string' }, Region: { type: 'string' } },
}

const ERROR = {
  type: 'object',
  required: ['ResponseMetadata'],
  properties: {
    ResponseMetadata: {
      allOf: [{ $ref: '#/components/schemas/ResponseMetadata' }],
      type: 'object',
      required: ['Error'],
      properties: { Error: { type: 'object', required: ['CodeN', 'Code', 'Message'], properties: { CodeN: { type: 'integer' }, Code: { type: 'string' }, Message: { type: 'string' } } } },
    },
  },
}

/** Lists are sent element by element, as `Kinds.1=Node`. */
function describeStream({ name, says, version, schema }: Action): object {
  return {
    operationId: name,
    summary: says,
    tags: [version],
    parameters: [
      ...Object.entries((schema as { readonly properties?: object }).properties ?? {}).map(([member, shape]) => ({ name: member, in: 'query', schema: shape as object })),
      { name: LAST_EVENT_ID, in: 'header', description: 'As LastEventId, before which it goes: readers of server-sent events send it when they ask again.', schema: { type: 'string' } },
    ],
    responses: {
      200: { description: 'Server-sent events, until the reader or the server ends them.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
      default: { description: 'Refused or failed.', content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } },
    },
  }
}

function describe(action: Action): object {
  return {
    operationId: action.name,
    summary: action.says,
    tags: [action.version],
    requestBody: { content: { 'application/json': { schema: action.schema } } },
    responses: {
      200: {
        description: 'Done or, for actions that take their time, begun.',
        content: { 'application/json': { schema: { type: 'object', required: ['ResponseMetadata', 'Result'], properties: { ResponseMetadata: { $ref: '#/components/schemas/ResponseMetadata' }, Result: { type: 'object' } } } } },
      },
      default: { description: 'Refused or failed.', content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } },
    },
  }
}
