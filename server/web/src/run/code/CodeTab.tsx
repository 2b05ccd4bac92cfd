import css from './CodeTab.module.css'
import factsCss from '../Facts.module.css'
import patchCss from './Patch.module.css'
import { Anchor, Stack, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { size } from '../../lib/format'
import { runAddress } from '../../lib/pageAddress'
import { Empty } from '../../shell/Empty'
import { Failed } from '../../shell/Failed'
import { Waiting } from '../../shell/Waiting'
import { strings } from '../../strings'
import { environmentOf } from '../environment'
import { Fact, Facts } from '../Facts'
import { textOf } from '../files/fileContent'
import { useContent, useFiles } from '../files/useFiles'
import { GitFacts } from '../Reproduce'
import type { TabProps } from '../props'
import { Patch } from './Patch'

const MOST = 8 * 1024 * 1024

/** Show the code that ran: its commit, uncommitted changes and untracked files. */
export function CodeTab({ run }: TabProps) {
  const environment = environmentOf(run.environment)
  const { data: files, error, refetch } = useFiles(run)
  if (error) return <Failed error={error} reset={() => void refetch()} />
  if (!files) return <Waiting />
  const kept = files.filter((file) => /^(untracked|code)\//.test(file.name))
  const patch = files.find((file) => file.name === 'diff.patch')
  if (!environment.git && !kept.length && !patch)
    return <Empty title={strings.code.none}>{strings.code.noneText}</Empty>
  const submodules = Object.entries(environment.git?.submodules ?? {})
  return (
    <div className={css.code}>
      <GitFacts environment={environment} />
      {submodules.length > 0 && (
        <Facts title={strings.code.submodules}>
          {submodules.map(([path, commit]) => (
            <Fact key={path} name={path} text={commit} mono copy />
          ))}
        </Facts>
      )}
      <section>
        <Title order={2} size="h5" mb="xs">
          {strings.code.changes}
        </Title>
        <Changes run={run} />
      </section>
      {kept.length > 0 && (
        <section className={`panel ${factsCss.facts}`}>
          <Title order={2} size="h5" mb="xs">
            {strings.code.kept}
          </Title>
          <Stack gap={2} component="ul" className="plain-list">
            {kept.map((file) => (
              <li key={file.name} className={patchCss.link}>
                <Anchor
                  component={Link}
                  to={`${runAddress(run)}?tab=files&file=${encodeURIComponent(file.name)}`}
                  size="sm"
                  className="wrap grow"
                >
                  {file.name}
                </Anchor>
                <Text size="xs" c="dimmed" className="nowrap">
                  {size(file.size)}
                </Text>
              </li>
            ))}
          </Stack>
        </section>
      )}
    </div>
  )
}

function Changes({ run }: TabProps) {
  const { data: files = [] } = useFiles(run)
  const patch = files.find((file) => file.name === 'diff.patch')
  const { data: content, error, refetch } = useContent(run, patch, MOST)
  if (!patch) return <Text c="dimmed">{strings.code.noChanges}</Text>
  if (error) return <Failed error={error} reset={() => void refetch()} />
  if (!patch.stored) return <Text c="dimmed">{strings.files.notStored}</Text>
  if (!content) return <Waiting height={160} />
  const isPart = content.length < patch.size
  // A patch may hold bytes of any encoding.
  const text = textOf(content, isPart) ?? new TextDecoder().decode(content)
  return (
    <>
      {isPart && <Text c="dimmed">{strings.files.large(size(content.length), size(patch.size))}</Text>}
      <Patch text={text} />
    </>
  )
}
