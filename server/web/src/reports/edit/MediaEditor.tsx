import css from './fields.module.css'
import { NumberInput, Pill, Select, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { commonKeysQuery, runQuery } from '../../api/queries'
import { pathOf, type Place } from '../../api/paths'
import { AddRun } from '../../compare/AddRun'
import { strings } from '../../strings'
import type { MediaBlock } from '../blocks'
import { MediaView } from '../MediaView'
import type { BlockProps } from './props'

const texts = strings.reportEditor

/** Choose what one run logged, and write a caption. */
export function MediaEditor({ place, block, set }: BlockProps<MediaBlock>) {
  return (
    <div className={css.fields}>
      {block.run && block.key && <MediaView {...place} block={block} />}
      <div className={css.pills}>
        <Text size="sm" fw={500}>
          {texts.mediaRun}
        </Text>
        {block.run && <RunName place={place} id={block.run} onRemove={() => set({ ...block, run: '', key: '' })} />}
        {!block.run && <AddRun {...place} chosen={[]} add={(run) => set({ ...block, run })} />}
      </div>
      {block.run && (
        <div className={css.row}>
          <KeyField {...{ place, block, set }} />
          <NumberInput
            size="xs"
            label={texts.mediaStep}
            allowDecimal={false}
            value={block.step ?? ''}
            onChange={(step) => set({ ...block, step: typeof step === 'number' ? step : null })}
          />
          <TextInput
            size="xs"
            label={texts.caption}
            maxLength={10_000}
            value={block.caption}
            onChange={(event) => set({ ...block, caption: event.currentTarget.value })}
          />
        </div>
      )}
    </div>
  )
}

function RunName({ place, id, onRemove }: { place: Place; id: string; onRemove: () => void }) {
  const { data } = useQuery(runQuery(place.entity, place.project, id))
  const name = data?.name ?? id
  return (
    <Pill
      withRemoveButton
      removeButtonProps={{ 'aria-label': texts.removeRun(name), 'aria-hidden': false, tabIndex: 0 }}
      onRemove={onRemove}
    >
      {name}
    </Pill>
  )
}

function KeyField({ place, block, set }: BlockProps<MediaBlock>) {
  const { data } = useQuery(commonKeysQuery([pathOf({ ...place, id: block.run })], 'history'))
  const keys = (data ?? []).filter((one) => one.type === 'media').map((one) => one.key)
  return (
    <Select
      size="xs"
      label={texts.mediaKey}
      searchable
      nothingFoundMessage={texts.nothing}
      placeholder={data && !keys.length ? texts.noMediaKeys : undefined}
      data={[...new Set([...keys, ...(block.key ? [block.key] : [])])]}
      value={block.key || null}
      onChange={(key) => set({ ...block, key: key ?? '' })}
    />
  )
}
