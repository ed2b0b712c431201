import { Type } from 'typebox'
import type { ResourceKind } from '#model/evidence.ts'
import { membersOf, optionalObject } from '#model/request.ts'
import { parseStatuses } from '#model/status/filter.ts'
import type { Listing, Page } from '#ports/store.ts'
import type { StatusFilter } from '#ports/store-filters.ts'
import { renderOnce } from '../rendered.ts'

/** Members that many bodies share (api.md 1.4), and what becomes of them in the store's words. */
export const Text = Type.String({ maxLength: 1024 })
export const Id = Type.String({ maxLength: 128 })
export const Ids = Type.Array(Type.String({ maxLength: 128 }), { maxItems: 100 })
/** Of what the history tells. */
const KINDS: readonly ResourceKind[] = ['Cluster', 'NodePool', 'Node', 'Addon', 'Onboarding']
export const Kinds = Type.Array(Type.Union(KINDS.map(kind => Type.Literal(kind))), { maxItems: 5 })
export const Whole = Type.Integer({ minimum: 0, maximum: 2_147_483_647 })
/** Clients send switches of lists as booleans and as texts. */
export const Switch = Type.Union([Type.Boolean(), Type.Literal('true'), Type.Literal('false'), Type.Literal('')])

export const PAGE = {
  PageNumber: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000, default: 1 })),
  PageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10 })),
}

/** Same token and parameters: the first result again. Both names are in use by clients. */
export const TOKEN = {
  ClientToken: Type.Optional(Type.String({ maxLength: 64, pattern: '^[ -~]*$' })),
  CreateClientToken: Type.Optional(Type.String({ maxLength: 64, pattern: '^[ -~]*$' })),
}

/** The second member has three spellings in use. */
export const Statuses = Type.Array(Type.Object({
  Phase: Type.Optional(Text),
  'Conditions.Type': Type.Optional(Text),
  ConditionsType: Type.Optional(Text),
  EdgeNodeStatusConditionType: Type.Optional(Text),
}), { maxItems: 15 })

export const Tag = Type.Object({ Key: Text, Value: Type.Optional(Text), Type: Type.Optional(Text) })
export const Tags = Type.Array(Tag, { maxItems: 50 })
export const Labels = Type.Array(Type.Object({ Key: Text, Value: Type.Optional(Text) }), { maxItems: 100 })
export const Taints = Type.Array(Type.Object({ Key: Text, Value: Type.Optional(Text), Effect: Type.Optional(Text) }), { maxItems: 100 })

/** `Filter.Statuses` in the store's words; the model knows which words there are and how they are misspelt. */
export function statusesOf(action: string, body: object, kind: ResourceKind): readonly StatusFilter[] | undefined {
  return some(parseStatuses(optionalObject(membersOf(action, body), 'Filter'), kind))
}

export function pageOf(body: { PageNumber?: number; PageSize?: number }): Page {
  return { number: body.PageNumber ?? 1, size: body.PageSize ?? 10 }
}

/** An empty list means "all". */
export function some<Item>(list: readonly Item[] | undefined): readonly Item[] | undefined {
  return list && list.length > 0 ? list : undefined
}

export function isOn(value: boolean | string | undefined): boolean {
  return value === true || value === 'true'
}

/** A list's answer. */
export function listing<Item>(page: Page, totalCount: number, items: readonly Item[]): object {
  return { Items: items, TotalCount: totalCount, PageNumber: page.number, PageSize: page.size }
}

/** A page of a list of which all is at hand. */
export function pageOfAll<Item>(page: Page, all: readonly Item[], toWire: (item: Item) => object): object {
  return listing(page, all.length, all.slice((page.number - 1) * page.size, page.number * page.size).map(toWire))
}

/** A list's answer whose items depend on nothing but the store's listing, and on `also`. */
export function listingOnce<Item>(page: Page, found: Listing<Item>, toWire: (item: Item) => object, also = ''): object {
  return renderOnce(found, also, () => listing(page, found.totalCount, found.items.map(toWire)))
}

/** Drops the members that are undefined, so that filters and records carry only what was given. */
export function given<Members extends object>(members: Members): { [Name in keyof Members]?: Exclude<Members[Name], undefined> } {
  const kept: { [name: string]: unknown } = {}
  for (const [name, value] of Object.entries(members)) if (value !== undefined) kept[name] = value
  return kept as { [Name in keyof Members]?: Exclude<Members[Name], undefined> }
}
