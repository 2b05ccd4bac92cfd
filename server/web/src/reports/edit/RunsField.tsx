import css from './fields.module.css'
import { Button, Menu, NumberInput, Pill, SegmentedControl, Text } from '@mantine/core'
import { IconBookmark } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import type { Place } from '../../api/paths'
import { fetchTable, steadyTableQuery } from '../../api/table'
import { loadView, projectQuery } from '../../api/views'
import { AddRun } from '../../compare/AddRun'
import { columnsQuery } from '../../project/columnCatalogue'
import { FilterInput } from '../../project/filter/FilterInput'
import { showError } from '../../shell/showError'
import { strings } from '../../strings'
import { decodeView } from '../../view/codec'
import type { RunChoice } from '../blocks'
import { choiceOf, MOST_RUNS, type PanelChoice } from '../choiceOf'

const texts = strings.reportEditor

interface Props {
  place: Place
  choice: RunChoice
  onChange: (choice: RunChoice) => void
  /** Take runs and settings from a saved view */
  onView: (choice: PanelChoice) => void
}

/** Choose the runs of a block: those that match a filter, or a list. */
export function RunsField({ place, choice, onChange, onView }: Props) {
  const [chosen, setChosen] = useState(choice.runs.length > 0)
  const { data: project } = useQuery(projectQuery(place))
  const takeView = async (name: string) => {
    try {
      const made = await choiceOf(place, decodeView(await loadView(place, name)))
      setChosen(made.runs.length > 0)
      onView(made)
    } catch (error) {
      showError(error)
    }
  }
  const views = project?.views ?? []
  return (
    <div className={css.fields}>
      <div className={css.pills}>
        <Text size="sm" fw={500}>
          {texts.runs}
        </Text>
        <SegmentedControl
          size="xs"
          aria-label={texts.runs}
          data={[
            { value: 'filter', label: texts.byFilter },
            { value: 'chosen', label: texts.byChoice },
          ]}
          value={chosen ? 'chosen' : 'filter'}
          onChange={(value) => {
            setChosen(value === 'chosen')
            if (value === 'filter' && choice.runs.length) onChange({ ...choice, runs: [] })
          }}
        />
        <Menu position="bottom-start" withinPortal>
          <Menu.Target>
            <Button size="compact-sm" variant="default" leftSection={<IconBookmark size={14} />}>
              {texts.fromView}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {views.map((view) => (
              <Menu.Item key={view.name} onClick={() => void takeView(view.name)}>
                {view.name}
              </Menu.Item>
            ))}
            {!views.length && <Menu.Label>{texts.noViews}</Menu.Label>}
          </Menu.Dropdown>
        </Menu>
      </div>
      {chosen ? (
        <Chosen {...{ place, choice, onChange }} />
      ) : (
        <div className={css.row}>
          <Filter {...{ place, choice, onChange }} />
          <NumberInput
            className={css.short}
            size="xs"
            label={texts.limit}
            min={1}
            max={MOST_RUNS}
            value={choice.limit}
            onChange={(limit) => typeof limit === 'number' && limit >= 1 && onChange({ ...choice, limit })}
          />
        </div>
      )}
    </div>
  )
}

type FieldProps = Omit<Props, 'onView'>

function Filter({ place, choice, onChange }: FieldProps) {
  const { data } = useQuery(columnsQuery(place))
  const { entity, project } = place
  const check = useCallback(
    (filter: string) =>
      fetchTable({ entity, project }, { filter, search: '', sort: [], columns: [], offset: 0, limit: 0 }),
    [entity, project],
  )
  return (
    <div className={css.filter}>
      <FilterInput
        place={place}
        value={choice.filter}
        catalogue={data?.columns ?? []}
        error={null}
        check={check}
        onChange={(filter) => onChange({ ...choice, filter, runs: [] })}
      />
    </div>
  )
}

function Chosen({ place, choice, onChange }: FieldProps) {
  const { runs } = choice
  const { data } = useQuery({
    ...steadyTableQuery(place, {
      ...{ filter: '', search: '', sort: [], columns: ['name'], offset: 0, limit: MOST_RUNS, ids: runs },
    }),
    enabled: runs.length > 0,
  })
  const nameOf = (id: string) => String(data?.columns.name?.[data.runs.indexOf(id)] ?? id)
  const put = (ids: string[]) => onChange({ ...choice, runs: ids, limit: Math.max(choice.limit, ids.length) })
  return (
    <div className={css.pills}>
      {runs.map((id) => (
        <Pill
          key={id}
          withRemoveButton
          removeButtonProps={{ 'aria-label': texts.removeRun(nameOf(id)), 'aria-hidden': false, tabIndex: 0 }}
          onRemove={() => put(runs.filter((one) => one !== id))}
        >
          {nameOf(id)}
        </Pill>
      ))}
      <AddRun {...place} chosen={runs} add={(id) => put([...runs, id].slice(0, MOST_RUNS))} />
      {!runs.length && (
        <Text size="xs" c="dimmed">
          {texts.noneChosen}
        </Text>
      )}
    </div>
  )
}
