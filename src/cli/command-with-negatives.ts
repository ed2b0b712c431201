import { Command, type ParseOptionsResult } from 'commander'

/** No word of a command line can contain it. */
const MARK = '\0'

/** A command whose arguments may begin with a hyphen and a digit, such as `clock step -5m`: no option of ours is called so, and what such a value is worth the server says. */
export class CommandWithNegatives extends Command {
  override createCommand(name?: string): CommandWithNegatives {
    return new CommandWithNegatives(name)
  }

  override parseOptions(words: string[]): ParseOptionsResult {
    if (this.commands.length > 0) return super.parseOptions(words)
    const { operands, unknown } = super.parseOptions(words.map((word, position) => /^-\d/.test(word) && !this.#isValueOf(words[position - 1]) ? `${MARK}${word}` : word))
    return { operands: operands.map(unmarked), unknown: unknown.map(unmarked) }
  }

  #isValueOf(before: string | undefined): boolean {
    return before !== undefined && this.options.some(option => option.required && (option.short === before || option.long === before))
  }
}

function unmarked(word: string): string {
  return word.replace(MARK, '')
}
