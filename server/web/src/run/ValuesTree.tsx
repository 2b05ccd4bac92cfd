import css from './ValuesTree.module.css'
import { Button, Text, UnstyledButton } from '@mantine/core'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { signed } from '../api/session'
import { readable, size } from '../lib/format'
import { CopyButton } from '../shell/CopyButton'
import { strings } from '../strings'
import { branchesOf, rowsOf, type Row } from './treeRows'
import { exact, isMedia, mediaLabel, stringify } from './values'

const MOST = 1500

/** Show nested values as a tree; a search opens the branches with matches. */
export function ValuesTree({
  values,
  search = '',
  base,
}: {
  values: Record<string, unknown>
  search?: string
  base?: string
}) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const branches = useMemo(() => branchesOf(values), [values])
  const rows = useMemo(() => rowsOf(values, closed, search), [values, closed, search])
  const toggle = (path: string) => {
    const next = new Set(closed)
    if (!next.delete(path)) next.add(path)
    setClosed(next)
  }
  if (!rows.length) return <Text c="dimmed">{strings.values.noMatch}</Text>
  return (
    <div className={css.tree}>
      {branches.length > 1 && !search && (
        <Button
          variant="subtle"
          color="gray"
          size="compact-xs"
          className={css.all}
          onClick={() => setClosed(closed.size ? new Set() : new Set(branches))}
        >
          {closed.size ? strings.values.expand : strings.values.collapse}
        </Button>
      )}
      <ul className="plain-list">
        {rows.slice(0, MOST).map((row) => (
          <TreeRow key={row.id} row={row} base={base} open={!closed.has(row.id) || search !== ''} toggle={toggle} />
        ))}
      </ul>
      {rows.length > MOST && (
        <Text size="sm" c="dimmed" mt="xs">
          {strings.values.of(MOST, rows.length)}
        </Text>
      )}
    </div>
  )
}

function TreeRow({
  row,
  base,
  open,
  toggle,
}: {
  row: Row
  base?: string
  open: boolean
  toggle: (path: string) => void
}) {
  const indent = { paddingLeft: 18 * row.depth }
  if (row.members !== null) {
    const Chevron = open ? IconChevronDown : IconChevronRight
    return (
      <li className={css.row} style={indent}>
        <UnstyledButton className={`${css.name} ${css.branch}`} aria-expanded={open} onClick={() => toggle(row.id)}>
          <Chevron size={14} aria-hidden />
          <span className="wrap clamped">{readable(row.name)}</span>
        </UnstyledButton>
        {!open && (
          <Text size="sm" c="dimmed">
            {row.members}
          </Text>
        )}
        <span className={css.copy}>
          <CopyButton text={stringify(row.value, 2)} what={strings.values.value(row.path)} />
        </span>
      </li>
    )
  }
  return (
    <li className={css.row} style={indent}>
      <span className={`${css.name} wrap clamped`} title={row.path}>
        {readable(row.name)}
      </span>
      <Value value={row.value} base={base} />
      <span className={css.copy}>
        <CopyButton text={exact(row.value)} what={strings.values.value(row.path)} />
      </span>
    </li>
  )
}

/** Show a value: media by their type, values that were stored as a file by a link below `base`. */
export function Value({ value, base }: { value: unknown; base?: string }) {
  if (base && isMedia(value) && value._type === 'file' && typeof value.digest === 'string') {
    return (
      <a
        className={css.value}
        href={signed(`${base}/blobs/${value.digest}`)}
        download={typeof value.name === 'string' ? value.name : value.digest}
      >
        {strings.run.wholeValue(typeof value.size === 'number' ? size(value.size) : '')}
      </a>
    )
  }
  if (isMedia(value)) return <span className={`${css.value} ${css.faint}`}>{mediaLabel(value)}</span>
  const faint = value === null || value === undefined
  return <span className={`${css.value} mono wrap ${faint ? css.faint : ''}`}>{exact(value)}</span>
}
