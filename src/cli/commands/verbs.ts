import type { Command } from 'commander'

/** The five verbs, under which each kind of thing adds its command. */
export interface Verbs { readonly create: Command; readonly list: Command; readonly get: Command; readonly update: Command; readonly delete: Command }
