import { Button, Group, Modal, Stack, Text, TextInput, Title } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { List, Row } from '../access/List'
import { usePages } from '../api/pages'
import type { Place } from '../api/paths'
import { appendBlock, createReport, reportsOf, type ReportInfo } from '../api/reports'
import { titleOf, type PanelSpec } from '../charts/panelSpec'
import { reportAddress } from '../lib/pageAddress'
import { useFocusBack } from '../lib/useFocusBack'
import { SearchField } from '../shell/SearchField'
import { showError } from '../shell/showError'
import { strings } from '../strings'
import { newId, type PanelBlock } from './blocks'
import type { PanelChoice } from './choiceOf'
import { DraftBadge, whenOf } from './ReportList'

const texts = strings.addToReport

interface Props {
  place: Place
  panel: PanelSpec
  /** The runs that the panel shows */
  choice: () => PanelChoice | Promise<PanelChoice>
  onClose: () => void
}

/** Add a panel to one of the project's reports, or to a new one. */
export function AddToReport({ place, panel, choice, onClose }: Props) {
  useFocusBack('[data-panels] button')
  const navigate = useNavigate()
  const [search, setSearch] = useState('')
  const [wanted] = useDebouncedValue(search.trim(), 200)
  const [title, setTitle] = useState('')
  const list = usePages(reportsOf(place), wanted)
  const add = useMutation({
    mutationFn: async (report: ReportInfo | null) => {
      const { width: _width, order: _order, ...spec } = panel
      const block: PanelBlock = { id: newId(), kind: 'panel', panel: spec, ...(await choice()) }
      if (report) return appendBlock(report, block)
      return createReport(place, { title: title.trim(), state: 'draft', blocks: [block], message: null })
    },
    onSuccess: (report) => {
      const shown = notifications.show({
        message: (
          <Group justify="space-between" wrap="nowrap">
            <Text size="sm" className="wrap">
              {texts.added(report.title)}
            </Text>
            <Button
              size="compact-sm"
              variant="default"
              flex="none"
              onClick={() => {
                notifications.hide(shown)
                void navigate({ to: reportAddress(report) })
              }}
            >
              {texts.open}
            </Button>
          </Group>
        ),
      })
      onClose()
    },
    onError: showError,
  })
  const none = !list.items?.length && !wanted
  return (
    <Modal
      opened
      onClose={onClose}
      title={texts.title(titleOf(panel))}
      closeButtonProps={{ 'aria-label': strings.common.close }}
    >
      <Stack gap="md">
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (title.trim()) add.mutate(null)
          }}
        >
          <Group align="flex-end" gap="xs">
            <TextInput
              className="grow"
              label={texts.newTitle}
              maxLength={200}
              value={title}
              onChange={(event) => setTitle(event.currentTarget.value)}
            />
            <Button
              type="submit"
              variant="default"
              disabled={!title.trim()}
              loading={add.isPending && add.variables === null}
            >
              {texts.create}
            </Button>
          </Group>
        </form>
        {!none && (
          <>
            <Title order={3} size="h6">
              {texts.reports}
            </Title>
            <SearchField label={texts.search} value={search} onChange={setSearch} />
          </>
        )}
        {!none && (
          <List
            list={list}
            label={texts.reports}
            search={wanted}
            empty={<Text size="sm">{texts.none}</Text>}
            idOf={(report) => report.id}
            row={(report) => (
              <Row title={report.title} facts={[report.author && strings.reports.by(report.author), whenOf(report)]}>
                {report.state === 'draft' && <DraftBadge />}
                <Button
                  size="compact-sm"
                  variant="default"
                  aria-label={texts.choose(report.title)}
                  loading={add.isPending && add.variables?.id === report.id}
                  onClick={() => add.mutate(report)}
                >
                  {texts.add}
                </Button>
              </Row>
            )}
          />
        )}
      </Stack>
    </Modal>
  )
}
