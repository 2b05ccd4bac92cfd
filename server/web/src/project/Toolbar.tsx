import css from './Toolbar.module.css'
import { ActionIcon, SegmentedControl, TextInput, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconCheck,
  IconLayoutColumns,
  IconLink,
  IconReport,
  IconSearch,
  IconTable,
  IconChartLine,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { memo, useCallback, useEffect, useRef, useState } from 'react'
import { reportsAddress } from '../lib/pageAddress'
import { strings } from '../strings'
import type { ViewControl } from '../view/useView'
import type { View } from '../view/view'
import type { Place } from '../api/paths'
import { fetchTable, type ColumnInfo } from '../api/table'
import { useRights } from '../access/rights'
import { useWhoami } from '../api/whoami'
import { ShareButton } from '../share/ShareButton'
import { AccessMenu } from './AccessMenu'
import { AddCondition, Chips } from './filter/Chips'
import { FilterInput } from './filter/FilterInput'
import { ViewsMenu } from './ViewsMenu'

const texts = strings.project.toolbar

interface ToolbarProps {
  place: Place
  control: ViewControl
  catalogue: ColumnInfo[]
  error: Error | null
  narrow: boolean
  /** Column of a new condition */
  asked: string | null
  onAsked: () => void
}

/** The bar above table and charts: views, search, filter and undo. */
export const Toolbar = memo(function Toolbar({
  place,
  control,
  catalogue,
  error,
  narrow,
  asked,
  onAsked,
}: ToolbarProps) {
  const { view, set } = control
  const whoami = useWhoami()
  const rights = useRights(place.entity, place.project)
  const isTeam = whoami?.mode === 'team' && whoami.kind !== 'link'
  const hasReports = whoami?.kind !== 'link' || whoami.shared?.kind === 'project'
  const clipboard = useClipboard()
  const check = useCallback(
    (filter: string) => fetchTable(place, { filter, search: '', sort: [], columns: [], offset: 0, limit: 0 }),
    [place],
  )
  const setFilter = (filter: string) => set({ filter })
  const tool = (Icon: typeof IconLink, label: string, onClick: () => void, disabled = false) => (
    <Tooltip label={label}>
      <ActionIcon size={32} variant="subtle" color="gray" aria-label={label} onClick={onClick} disabled={disabled}>
        <Icon size={17} />
      </ActionIcon>
    </Tooltip>
  )
  return (
    <div className={css.toolbar}>
      <div className={css.bar}>
        <ViewsMenu place={place} control={control} />
        <Search value={view.search} onChange={(search) => set({ search })} />
        <FilterInput
          place={place}
          value={view.filter}
          catalogue={catalogue}
          error={error}
          check={check}
          onChange={setFilter}
        />
        <div className={css.tools}>
          <AddCondition
            place={place}
            filter={view.filter}
            catalogue={catalogue}
            asked={asked}
            onAsked={onAsked}
            onChange={setFilter}
          />
          {tool(IconArrowBackUp, texts.undo, control.undo, !control.canUndo)}
          {tool(IconArrowForwardUp, texts.redo, control.redo, !control.canRedo)}
          {tool(clipboard.copied ? IconCheck : IconLink, clipboard.copied ? texts.copied : texts.link, () =>
            clipboard.copy(window.location.href),
          )}
          {hasReports && (
            <Tooltip label={texts.reports}>
              <ActionIcon
                size={32}
                variant="subtle"
                color="gray"
                component={Link}
                to={reportsAddress(place.entity, place.project)}
                aria-label={texts.reports}
              >
                <IconReport size={17} />
              </ActionIcon>
            </Tooltip>
          )}
          {isTeam && rights.has('share') && (
            <ShareButton {...place} kind="project" target={null} name={place.project} size={32} />
          )}
          {isTeam && <AccessMenu place={place} rights={rights} />}
          {!narrow && <LayoutChoice layout={view.layout} onChange={(layout) => set({ layout })} />}
        </div>
      </div>
      <Chips place={place} filter={view.filter} catalogue={catalogue} onChange={setFilter} />
    </div>
  )
})

function LayoutChoice({ layout, onChange }: { layout: View['layout']; onChange: (layout: View['layout']) => void }) {
  const option = (value: View['layout'], Icon: typeof IconTable) => ({
    value,
    label: (
      <span className={css.layout} title={texts.layouts[value]}>
        <Icon size={16} aria-hidden />
        <span>{texts.layouts[value]}</span>
      </span>
    ),
  })
  return (
    <SegmentedControl
      size="xs"
      aria-label={texts.layout}
      value={layout}
      onChange={(next) => onChange(next as View['layout'])}
      data={[option('table', IconTable), option('both', IconLayoutColumns), option('charts', IconChartLine)]}
    />
  )
}

/** Search when typing pauses. */
function Search({ value, onChange }: { value: string; onChange: (search: string) => void }) {
  const [draft, setDraft] = useState(value)
  const told = useRef(value)
  useEffect(() => {
    if (value === told.current) return
    told.current = value
    setDraft(value)
  }, [value])
  const latest = useRef(onChange)
  latest.current = onChange
  useEffect(() => {
    if (draft === told.current) return
    const timer = setTimeout(() => {
      told.current = draft
      latest.current(draft)
    }, 250)
    return () => clearTimeout(timer)
  }, [draft])
  return (
    <TextInput
      className={css.search}
      size="sm"
      type="search"
      leftSection={<IconSearch size={15} />}
      placeholder={texts.search}
      aria-label={texts.searchLabel}
      title={texts.searchHint}
      value={draft}
      onChange={(event) => setDraft(event.currentTarget.value)}
    />
  )
}
