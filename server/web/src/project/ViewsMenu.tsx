import css from './ViewsMenu.module.css'
import { ActionIcon, Button, Group, Popover, Stack, Text, TextInput, UnstyledButton } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconBookmark, IconDeviceFloppy, IconPencil, IconShare, IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Suspense, useEffect, useRef, useState } from 'react'
import { useRights } from '../access/rights'
import { useWhoami } from '../api/whoami'
import { ago } from '../lib/format'
import { lazyLoad } from '../shell/lazyLoad'
import { strings } from '../strings'
import { decodeView, encodeView } from '../view/codec'
import type { ViewControl } from '../view/useView'
import { defaultView } from '../view/view'
import type { Place } from '../api/paths'
import { deleteView, loadView, projectQuery, saveView } from '../api/views'

const texts = strings.project.views

const ShareDialog = lazyLoad(() => import('../share/ShareDialog').then((it) => it.ShareDialog))

/** Open, save, rename and delete the project's saved views, which all its users share. */
export function ViewsMenu({ place, control }: { place: Place; control: ViewControl }) {
  const [open, setOpen] = useState(false)
  const [shared, setShared] = useState<string | null>(null)
  return (
    <>
      <Popover opened={open} onChange={setOpen} shadow="md" position="bottom-start" trapFocus returnFocus width={320}>
        <Popover.Target>
          <Button
            size="compact-sm"
            h={32}
            variant="default"
            leftSection={<IconBookmark size={15} />}
            onClick={() => setOpen(!open)}
            aria-expanded={open}
          >
            {texts.title}
          </Button>
        </Popover.Target>
        <Popover.Dropdown p="sm">
          <Views
            place={place}
            control={control}
            onDone={() => setOpen(false)}
            onShare={(name) => {
              setOpen(false)
              setShared(name)
            }}
          />
        </Popover.Dropdown>
      </Popover>
      {shared !== null && (
        <Suspense>
          <ShareDialog {...place} kind="view" target={shared} name={shared} onClose={() => setShared(null)} />
        </Suspense>
      )}
    </>
  )
}

async function tried(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    notifications.show({
      color: 'red',
      title: texts.failed,
      message: error instanceof Error ? error.message : String(error),
    })
    return false
  }
}

interface ViewsProps {
  place: Place
  control: ViewControl
  onDone: () => void
  onShare: (name: string) => void
}

function Views({ place, control, onDone, onShare }: ViewsProps) {
  const { data } = useQuery(projectQuery(place))
  const rights = useRights(place.entity, place.project)
  const mayEdit = rights.has('edit')
  const isTeam = useWhoami()?.mode === 'team'
  const [name, setName] = useState('')
  const [renamed, setRenamed] = useState<string | null>(null)
  const views = data?.views ?? []
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // The element that had the focus may be gone: a renamed or deleted view.
    if (document.activeElement !== document.body) return
    // Not a button if there is a field: the Enter that ended the renaming would press it.
    const field = box.current?.querySelector<HTMLElement>('form input')
    ;(field ?? box.current?.querySelector<HTMLElement>('button'))?.focus()
  })
  const wanted = name.trim()
  const written = () => encodeView(control.view)

  const show = (one: string) =>
    tried(async () => control.open(decodeView(await loadView(place, one)))).then((good) => good && onDone())
  const save = async (as: string) => {
    if (await tried(() => saveView(place, as, written()))) notifications.show({ message: texts.saved(as) })
    setName('')
  }
  const rename = async (from: string, to: string) => {
    setRenamed(null)
    if (!to.trim() || to.trim() === from) return
    await tried(async () => {
      await saveView(place, to.trim(), await loadView(place, from))
      await deleteView(place, from)
    })
  }
  const remove = async (one: string) => {
    let kept: unknown
    const good = await tried(async () => {
      kept = await loadView(place, one)
      await deleteView(place, one)
    })
    if (!good) return
    const id = notifications.show({
      autoClose: 12_000,
      message: (
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm">{texts.deleted(one)}</Text>
          <Button
            size="compact-sm"
            variant="light"
            onClick={() => {
              notifications.hide(id)
              void tried(() => saveView(place, one, kept))
            }}
          >
            {texts.undo}
          </Button>
        </Group>
      ),
    })
  }
  return (
    <Stack gap="xs" ref={box}>
      <UnstyledButton
        className={css.view}
        onClick={() => {
          control.open(defaultView)
          onDone()
        }}
      >
        <Text size="sm">{texts.standard}</Text>
      </UnstyledButton>
      {views.map((one) =>
        renamed === one.name ? (
          <TextInput
            key={one.name}
            size="xs"
            defaultValue={one.name}
            aria-label={texts.newName(one.name)}
            data-autofocus
            autoFocus
            onBlur={(event) => void rename(one.name, event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') event.currentTarget.blur()
            }}
          />
        ) : (
          <Group key={one.name} gap={2} wrap="nowrap">
            <UnstyledButton className={css.view} onClick={() => void show(one.name)}>
              <Text size="sm" truncate>
                {one.name}
              </Text>
              <Text size="xs" c="dimmed">
                {ago(one.updated)}
              </Text>
            </UnstyledButton>
            {isTeam && rights.has('share') && (
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={strings.share.title.view(one.name)}
                title={strings.share.title.view(one.name)}
                onClick={() => onShare(one.name)}
              >
                <IconShare size={15} />
              </ActionIcon>
            )}
            {mayEdit && (
              <>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={texts.overwrite(one.name)}
                  title={texts.overwrite(one.name)}
                  onClick={() => void save(one.name)}
                >
                  <IconDeviceFloppy size={15} />
                </ActionIcon>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={texts.rename(one.name)}
                  title={texts.rename(one.name)}
                  onClick={() => setRenamed(one.name)}
                >
                  <IconPencil size={15} />
                </ActionIcon>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={texts.delete(one.name)}
                  title={texts.delete(one.name)}
                  onClick={() => void remove(one.name)}
                >
                  <IconTrash size={15} />
                </ActionIcon>
              </>
            )}
          </Group>
        ),
      )}
      {mayEdit && (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (wanted) void save(wanted)
          }}
        >
          <Group gap="xs" wrap="nowrap">
            <TextInput
              size="xs"
              flex={1}
              placeholder={texts.placeholder}
              aria-label={texts.placeholder}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              data-autofocus
            />
            <Button size="compact-sm" type="submit" disabled={!wanted}>
              {views.some((one) => one.name === wanted) ? texts.replace : texts.save}
            </Button>
          </Group>
        </form>
      )}
    </Stack>
  )
}
