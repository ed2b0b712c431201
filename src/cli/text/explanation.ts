import type { Evidence, Explanation, Link } from '#client/calls.ts'
import { age, clock, resourceWords, sentence, statusWords } from './words.ts'

/** An explanation in sentences: status, rule, who saw what when, the causes back to the first one, others alike, and the ways out. */
export function explanationText(explanation: Explanation, now: number): string {
  const { Resource, Status, Since, CauseChain, Alike, Exits } = explanation
  return [
    `${capital(resourceWords(Resource))} (${Resource.Id}) is ${statusWords(Status)} since ${clock(Since, now)} UTC (${age(Since, now)}).`,
    ...becauseLines(explanation, now),
    ...explanation.StaleSince === undefined ? [] : [`Nobody has been able to look since ${clock(explanation.StaleSince, now)}; this is what was seen last.`],
    ...CauseChain.length === 0 ? [] : ['', CauseChain.length === 1 ? 'The cause:' : 'The causes, the first one last:'],
    ...CauseChain.flatMap(link => [`  ${capital(resourceWords(link.Resource))} ${statusWords(link.Status) === 'Gone []' ? 'is gone' : `is ${statusWords(link.Status)}`} since ${clock(link.Since, now)}.`, ...becauseLines(link, now).map(line => `  ${line}`)]),
    ...Alike.length === 0 ? [] : ['', `For the same cause: ${Alike.map(resourceWords).join(', ')}.`],
    ...Exits.length === 0 ? [] : ['', 'What leads out:', ...Exits.map(exit => exit.By === 'call' ? `  - the call ${exit.What}, accepted now` : `  - ${exit.What}`)],
    ...explanation.LooksAgainAt === undefined ? [] : ['', `Without anything else happening it is looked at again at ${clock(explanation.LooksAgainAt, now)}.`],
  ].join('\n')
}

function becauseLines(link: Link, now: number): readonly string[] {
  return [`  ${sentence(link.Because)}`, `  Rule: ${link.Rule}.`, ...link.Evidence.map(evidence => `  ${evidenceText(evidence, now)}`)]
}

export function evidenceText(evidence: Evidence, now: number): string {
  // Nobody looked: it follows from another record.
  if (evidence.Observer === 'derived') return `Follows from ${evidence.Source} at ${clock(evidence.ObservedAt, now)}.`
  return `Seen by ${evidence.Observer} at ${clock(evidence.ObservedAt, now)} (${evidence.Source}): ${sentence(evidence.Fact)}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
