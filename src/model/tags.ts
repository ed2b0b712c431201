import { optionalObjects, optionalText, refuseMember, requiredText, type Members } from './request.ts'

export interface Tag { readonly key: string; readonly value: string }

/** `Tags` of a create call: at most 50, blanks around keys and values removed, keys unique, none that begins `volc:` or `sys:` (api.md 1.4). */
export function optionalTags(from: Members): readonly Tag[] {
  const tags = (optionalObjects(from, 'Tags', 50) ?? []).map(tag => {
    const key = requiredText(tag, 'Key').trim()
    const value = (optionalText(tag, 'Value') ?? '').trim()
    if (key.length < 1 || key.length > 128) refuseMember(tag, 'Key', 'it must have 1 to 128 characters')
    if (value.length > 256) refuseMember(tag, 'Value', 'it may have at most 256 characters')
    if (/^(volc|sys):/i.test(key)) refuseMember(tag, 'Key', 'keys that begin volc: or sys: belong to the system')
    return { key, value }
  })
  const twice = tags.find((tag, index) => tags.findIndex(other => other.key === tag.key) !== index)
  if (twice) refuseMember(from, 'Tags', `the key ${twice.key} is there twice`)
  return tags
}

/** `Tags` of a list call: at most 10; a tag without a value stands for every value of its key. */
export function optionalTagFilter(from: Members): readonly { readonly key: string; readonly value?: string }[] | undefined {
  return optionalObjects(from, 'Tags', 10)?.map(tag => {
    const value = optionalText(tag, 'Value')
    return { key: requiredText(tag, 'Key').trim(), ...(value === undefined ? {} : { value: value.trim() }) }
  })
}
