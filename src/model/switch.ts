const YES = ['true', '1', 'on'], NO = ['false', '0', 'off', '']

/** What a variable or setting says that knows only yes and no. Whatever is neither is refused: taken for either it would do what nobody asked for. */
export function isOn(name: string, text: string): boolean {
  const word = text.trim().toLowerCase()
  if (YES.includes(word)) return true
  if (NO.includes(word)) return false
  throw new NeitherOnNorOff(`${name} is "${text}": write true, 1 or on for yes, and false, 0, off or nothing for no`)
}

export class NeitherOnNorOff extends Error {
  readonly kind = 'UsageError'
}

/** What the parser of command lines knows of a command. */
interface Parsed {
  readonly options: readonly { readonly envVar?: string | undefined; isBoolean(): boolean; attributeName(): string }[]
  getOptionValueSource(name: string): string | undefined
}

/** Those switches of a command that their variables decide, and how. To the parser a variable that is there at all, be it empty or `false`, is a yes. */
export function switchesByVariable(command: Parsed, environment: Readonly<Record<string, string | undefined>>): readonly (readonly [name: string, isOn: boolean])[] {
  return command.options.filter(option => option.isBoolean() && command.getOptionValueSource(option.attributeName()) === 'env').map(option => {
    const variable = option.envVar ?? ''
    return [option.attributeName(), isOn(variable, environment[variable] ?? '')]
  })
}
