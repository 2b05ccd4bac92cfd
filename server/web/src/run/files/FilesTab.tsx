import css from './FilesTab.module.css'
import { signed } from '../../api/session'

import { ActionIcon, Anchor, Group, Text, Tooltip } from '@mantine/core'
import { IconArrowLeft, IconDownload } from '@tabler/icons-react'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { size } from '../../lib/format'
import { CopyButton } from '../../shell/CopyButton'
import { Empty } from '../../shell/Empty'
import { Failed } from '../../shell/Failed'
import { Waiting } from '../../shell/Waiting'
import { SearchField } from '../../shell/SearchField'
import { strings } from '../../strings'
import type { TabProps } from '../props'
import { FileTree } from './FileTree'
import { Preview } from './Preview'
import { addressOf, useFiles, type RunFile } from './useFiles'

/** Show a run's files as a tree, with a preview beside it. */
export function FilesTab({ run }: TabProps) {
  const { data: files, error, refetch } = useFiles(run)
  const [text, setText] = useState('')
  const navigate = useNavigate()
  const wanted: unknown = useSearch({ strict: false }).file
  const choose = (file?: string) => void navigate({ to: '.', search: { tab: 'files', ...(file && { file }) } as never })
  if (error) return <Failed error={error} reset={() => void refetch()} />
  if (!files) return <Waiting />
  if (!files.length) return <Empty title={strings.files.none}>{strings.files.noneText}</Empty>
  const chosen = files.find((file) => file.name === wanted)
  const shown = files.filter((file) => file.name.toLowerCase().includes(text.trim().toLowerCase()))
  return (
    <div className={`${css.files} ${chosen ? css.chosen : ''}`}>
      <nav className={css.list} aria-label={strings.files.list}>
        <SearchField label={strings.files.search} value={text} onChange={setText} m="xs" />
        <Text size="xs" c="dimmed" px="sm" pb={4} role="status">
          {strings.common.files(shown.length)} · {size(shown.reduce((sum, file) => sum + file.size, 0))}
        </Text>
        {shown.length ? (
          <FileTree files={shown} open={text.trim() !== ''} chosen={chosen?.name} choose={choose} />
        ) : (
          <Empty title={strings.files.noMatch} />
        )}
      </nav>
      <section className={css.preview}>
        {chosen ? <Chosen run={run} file={chosen} close={() => choose()} /> : <Empty title={strings.files.choose} />}
      </section>
    </div>
  )
}

function Chosen({ run, file, close }: TabProps & { file: RunFile; close: () => void }) {
  return (
    <>
      <Group className={css.head} justify="space-between" wrap="nowrap" gap="xs">
        <Group gap={6} wrap="nowrap" miw={0}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={strings.files.close}
            onClick={close}
            className={css.back}
          >
            <IconArrowLeft size={16} />
          </ActionIcon>
          <Text fw={600} className="wrap">
            {file.name}
          </Text>
          <Text size="sm" c="dimmed" className="nowrap">
            {size(file.size)}
          </Text>
        </Group>
        <Group gap={4} wrap="nowrap">
          <CopyButton text={file.name} what={strings.packages.name} />
          {file.stored && (
            <Tooltip label={strings.common.download}>
              <ActionIcon
                component={Anchor<'a'>}
                href={signed(addressOf(run, file.name))}
                download={file.name.split('/').at(-1)}
                variant="subtle"
                color="gray"
                aria-label={strings.common.download}
              >
                <IconDownload size={16} />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
      </Group>
      <div className={css.content} tabIndex={0} role="group" aria-label={file.name}>
        {file.stored ? (
          <Preview key={file.digest + file.name} run={run} file={file} />
        ) : (
          <Empty title={strings.files.notStored} />
        )}
      </div>
    </>
  )
}
