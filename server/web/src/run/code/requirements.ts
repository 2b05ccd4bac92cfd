export interface Package {
  name: string
  version: string
  /** Where it was installed from, if not from an index */
  source: string
}

/** Parse the packages in a run's `requirements.txt`; comments and empty lines are skipped. */
export function parseRequirements(text: string): Package[] {
  return text.split('\n').flatMap((line) => {
    // A comment has a space before its `#`; in an address there is none.
    const [, entry = '', comment = ''] = /^(.*?)(?:(?:^|\s+)#\s*(.*))?$/.exec(line.trim()) ?? []
    return entry ? [packageOf(entry, comment)] : []
  })
}

function packageOf(entry: string, comment: string): Package {
  const pinned = PINNED.exec(entry)
  if (pinned) return { name: pinned[1]!, version: pinned[2]!, source: '' }
  const direct = /^([^\s@]+)\s*@\s*(.+)$/.exec(entry)
  if (direct) return { name: direct[1]!, version: '', source: direct[2]! }
  const editable = /^-e\s+(.+)$/.exec(entry)
  const said = PINNED.exec(comment)
  if (editable && said) return { name: said[1]!, version: said[2]!, source: editable[1]! }
  return { name: editable?.[1] ?? entry, version: '', source: '' }
}

const PINNED = /^([^\s=@]+)==(\S+)$/
