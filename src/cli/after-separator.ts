/** What another program gets. A `--` right before it ends our own options, as everywhere, and is not for that program; later ones are its own. */
export function afterSeparator(args: readonly string[]): readonly string[] {
  return args[0] === '--' ? args.slice(1) : args
}
