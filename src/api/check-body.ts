import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'
import { refuse, refuseBody, refuseParameter } from '#model/errors/catalogue.ts'

interface SchemaError { readonly keyword: string; readonly instancePath: string; readonly message: string; readonly params: object }
interface Validator { Check(value: unknown): boolean; Errors(value: unknown): SchemaError[] }

/** A schema is the same for every server of a process. */
const compiled = new WeakMap<TSchema, Validator>()

/** Checks bodies against an action's schema. Compiled at the first call: forty schemas at start would cost a third of a second. */
export function bodyChecker(action: string, schema: TSchema): (body: Record<string, unknown>, fromQuery: boolean) => Record<string, unknown> {
  let validator: Validator | undefined
  return (body, fromQuery) => {
    validator ??= validatorOf(schema)
    const value = fromQuery ? Value.Convert(schema, body) as Record<string, unknown> : body
    if (!validator.Check(value)) refuseBy(action, validator.Errors(value))
    return value
  }
}

function validatorOf(schema: TSchema): Validator {
  const known = compiled.get(schema)
  if (known) return known
  const validator = Compile(schema) as unknown as Validator
  compiled.set(schema, validator)
  return validator
}

/** The first complaint becomes `MissingParameter.X` or the refusal of X, X being the path of members without array positions. */
function refuseBy(action: string, errors: readonly SchemaError[]): never {
  const first = errors.find(error => error.keyword === 'required') ?? errors.find(error => error.keyword === 'additionalProperties') ?? errors.find(error => error.keyword !== 'anyOf') ?? errors[0]
  if (!first) throw new Error('a body failed its check without an error')
  const path = pathOf(first.instancePath)
  if (first.keyword === 'required') {
    const [missing = '?'] = (first.params as { requiredProperties?: readonly string[] }).requiredProperties ?? []
    return refuse('MissingParameter.{Parameter}', { Parameter: [...path, missing].join('.') })
  }
  if (first.keyword === 'additionalProperties') {
    const [unknown = '?'] = (first.params as { additionalProperties?: readonly string[] }).additionalProperties ?? []
    return /^\w{1,64}$/.test(unknown) ? refuseParameter(action, [...path, unknown].join('.'), 'the action has no such member') : refuseBody(action, 'it has a member that the action has not')
  }
  return path.length === 0 ? refuseBody(action, sentence(errors, first)) : refuseParameter(action, path.join('.'), sentence(errors, first))
}

function pathOf(pointer: string): readonly string[] {
  return pointer.split('/').slice(1).map(part => part.replaceAll('~1', '/').replaceAll('~0', '~')).filter(part => !/^\d+$/.test(part))
}

function sentence(errors: readonly SchemaError[], first: SchemaError): string {
  const choices = errors.filter(error => error.instancePath === first.instancePath && error.keyword === 'const').map(error => (error.params as { allowedValue?: unknown }).allowedValue)
  if (choices.length > 0) return `it has to be one of ${choices.map(String).join(', ')}`
  return `it ${first.message.replace(/^must /, 'has to ').replace('must NOT', 'may not')}`
}
