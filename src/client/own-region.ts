import type { EdgeholdClient } from './client.ts'
import { ApiError } from './errors.ts'

/** A name that nobody else gives: by it whoever has a region made knows which that is, also where no answer came. CreateRegion takes no ClientToken. */
export function ownRegionName(what: string): string {
  return `${what}-${crypto.randomUUID().slice(0, 8)}`
}

/** Makes a region of such a name; may be sent again, because one that has it already was made by an earlier try whose answer was lost. */
export async function makeOwnRegion(client: Pick<EdgeholdClient, 'call'>, region: string, order: object, options: { readonly timeoutMs: number }): Promise<void> {
  try {
    await client.call('CreateRegion', { ...order, Region: region }, options)
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'Conflict.Region') throw error
  }
}
