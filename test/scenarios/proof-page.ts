import type { Played, Scenario } from '#client/calls.ts'
import { rowKeyText, sameRow } from './rows.ts'

const NOTE = 'Made by playing every scenario in a simulated region of its own: `EDGEHOLD_WRITE_PROOF=yes ./edgehold test scenarios` writes it, and the test fails where it differs. Times count from the beginning of each story, on its region\'s clock.'

/** docs/generated/status-proof.md: row by row the calls, the story, and what made it the status. */
export function proofPage(proofs: readonly { readonly scenario: Scenario; readonly played: Played }[]): string {
  const contents = proofs.map(({ scenario }) => `| ${rowKeyText(scenario.Reaches[0])} | [${scenario.Name}](#${scenario.Name}) | ${scenario.Title.en} |`)
  return [
    '# How each status is reached', '', NOTE, '', '| status | scenario | |', '| --- | --- | --- |', ...contents, '',
    ...proofs.flatMap(({ scenario, played }) => sectionOf(scenario, played)),
  ].join('\n')
}

function sectionOf(scenario: Scenario, played: Played): string[] {
  const [reached] = scenario.Reaches
  const first = played.Story.find(told => sameRow(reached, told))
  const began = Date.parse(played.Story[0]?.At ?? '')
  return [
    `## ${scenario.Name}`, '', `${rowKeyText(reached)} ${scenario.Title.zh}: ${scenario.Title.en}.`, '',
    'Calls and steps of the clock; what stands in bold is the cause:', '',
    ...scenario.Steps.map(step => step.Action === undefined ? `- clock ${step.Clock ?? ''}` : `- ${step.Cause ? '**' : ''}${step.Action}${step.Cause ? '**' : ''} \`${JSON.stringify(step.Request)}\`${step.As === undefined ? '' : ` → \`<${step.As}>\``}`), '',
    '| time | what happened |', '| --- | --- |',
    ...played.Story.map(told => `| ${timeText(Date.parse(told.At) - began)} | ${told === first ? '**' : ''}${cell(told.Text)}${told === first ? '**' : ''} |`), '',
    `Rule: *${first?.Rule ?? 'not reached'}*. ${first?.Because ?? ''}.`, '',
    ...(first?.Evidence ?? []).map(evidence => `- ${evidence.Observer}, ${evidence.Source}: ${cell(evidence.Fact)}`), '',
  ]
}

function timeText(ms: number): string {
  const [hours, minutes, seconds] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, (ms / 1_000) % 60]
  return `${hours}:${String(minutes).padStart(2, '0')}:${seconds.toFixed(3).padStart(6, '0')}`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
