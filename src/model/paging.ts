import { optionalWhole, type Members } from './request.ts'

/** `PageNumber` from 1, `PageSize` 1..100, by default 1 and 10 (api.md 1.4). */
export function parsePage(request: Members): { readonly number: number; readonly size: number } {
  return {
    number: optionalWhole(request, 'PageNumber', { min: 1, max: 10_000_000 }) ?? 1,
    size: optionalWhole(request, 'PageSize', { min: 1, max: 100 }) ?? 10,
  }
}
