import codeTabCss from '../run/code/CodeTab.module.css'
import factsCss from '../run/Facts.module.css'
import patchCss from '../run/code/Patch.module.css'
import { Anchor, Badge, Group, Select, Stack, Text } from '@mantine/core'
import { useQueries, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { RunInfo } from '../api/client'
import { urlOf } from '../api/paths'
import { DiffLine } from '../run/code/Patch'
import { environmentOf, pageOf } from '../run/environment'
import { fetchPart } from '../run/files/fileContent'
import { filesQuery, type RunFile } from '../run/files/useFiles'
import { Empty } from '../shell/Empty'
import { Failed } from '../shell/Failed'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { codeDifferences, type CodeFile, type FileDifference } from './codeDifferences'
import type { CompareProps } from './props'
import { diffLines, hunksOf } from './lineDiff'

/** Compare the code of two runs: their commits, and the captured files. */
export function CodeTab({ runs, baseline }: CompareProps) {
  const [from, setFrom] = useState<string | null>(null)
  const [to, setTo] = useState<string | null>(null)
  const before = runs.find((run) => run.id === (from ?? baseline)) ?? runs[0]!
  const after = runs.find((run) => run.id === to && run !== before) ?? runs.find((run) => run !== before)
  const options = runs.map((run) => ({
    value: run.id,
    label: run.name === run.id ? run.id : `${run.name} · ${run.id}`,
  }))
  if (!after) return <Empty title={strings.compare.none}>{strings.compare.noneText}</Empty>
  return (
    <div className={codeTabCss.code}>
      <Group>
        <Select
          size="xs"
          label={strings.compare.before}
          data={options}
          value={before.id}
          onChange={setFrom}
          allowDeselect={false}
          w={260}
        />
        <Select
          size="xs"
          label={strings.compare.after}
          data={options}
          value={after.id}
          onChange={setTo}
          allowDeselect={false}
          w={260}
        />
      </Group>
      <Commits before={before} after={after} />
      <Files key={`${before.id} ${after.id}`} before={before} after={after} />
    </div>
  )
}

interface Two {
  before: RunInfo
  after: RunInfo
}

function Commits({ before, after }: Two) {
  const [one, other] = [before, after].map((run) => environmentOf(run.environment).git)
  const same = one?.commit && one.commit === other?.commit
  return (
    <section className={`panel ${factsCss.facts}`}>
      <Text size="sm">
        {same ? strings.compare.sameCommit : strings.compare.otherCommit}:{' '}
        <Commit remote={one?.remote} commit={one?.commit} />
        {!same && (
          <>
            {' → '}
            <Commit remote={other?.remote} commit={other?.commit} />
          </>
        )}
      </Text>
      {!same && (
        <Text size="sm" c="dimmed" mt={4}>
          {strings.compare.patchNote}
        </Text>
      )}
    </section>
  )
}

function Commit({ remote, commit }: { remote?: string; commit?: string }) {
  if (!commit) return <>{strings.compare.unknownCommit}</>
  const page = pageOf(remote, commit)
  const short = <span className="mono">{commit.slice(0, 12)}</span>
  if (!page) return short
  return (
    <Anchor href={page} target="_blank" rel="noopener noreferrer" inherit>
      {short}
    </Anchor>
  )
}

const FILE_MOST = 2 * 1024 * 1024

function Files({ before, after }: Two) {
  const [first, second] = useQueries({ queries: [filesQuery(before), filesQuery(after)] })
  const { data, error, refetch } = useQuery({
    queryKey: ['code', before.id, after.id, digestsOf(first.data), digestsOf(second.data)],
    queryFn: async ({ signal }) => {
      const [a, b] = await Promise.all([
        contentsOf(before, first.data!, second.data!, signal),
        contentsOf(after, second.data!, first.data!, signal),
      ])
      return codeDifferences(a, b)
    },
    enabled: Boolean(first.data && second.data),
  })
  const failure = first.error ?? second.error ?? error
  if (failure) return <Failed error={failure} reset={() => void refetch()} />
  if (!data) return <Waiting />
  if (!data.length) return <Text c="dimmed">{strings.compare.sameFiles}</Text>
  return (
    <Stack gap="sm">
      {data.map((file) => (
        <OneFile key={file.name} file={file} />
      ))}
    </Stack>
  )
}

const isCode = (file: RunFile) =>
  file.stored && file.size <= FILE_MOST && /^(diff\.patch$|untracked\/|code\/)/.test(file.name)
const digestsOf = (files?: RunFile[]) => files?.filter(isCode).map((file) => file.digest)

/** Fetch a run's captured code, without files that the other run has unchanged. */
async function contentsOf(run: RunInfo, mine: RunFile[], others: RunFile[], signal: AbortSignal): Promise<CodeFile[]> {
  const known = new Set(others.map((file) => `${file.digest} ${file.name}`))
  const wanted = mine.filter((file) => isCode(file) && !known.has(`${file.digest} ${file.name}`))
  return Promise.all(
    wanted.map(async ({ name, digest, size }) => {
      const content = await fetchPart(`${urlOf(run)}/blobs/${digest}`, FILE_MOST, size, signal)
      return { name, content }
    }),
  )
}

function OneFile({ file }: { file: FileDifference }) {
  const lines = diffLines(file.before ?? [], file.after ?? [])
  const hunks = hunksOf(lines)
  const where =
    file.before === null ? strings.compare.onlyAfter : file.after === null ? strings.compare.onlyBefore : null
  return (
    <section className={`panel ${patchCss.file}`}>
      <Group className={patchCss.head} gap="xs">
        <Text size="sm" fw={600} className="wrap grow">
          {file.name}
        </Text>
        {where && (
          <Badge variant="default" tt="none" fw={500} radius="sm">
            {where}
          </Badge>
        )}
      </Group>
      {file.binary ? (
        <Text className={patchCss.note}>{strings.code.binary}</Text>
      ) : (
        <div className={`${patchCss.lines} mono`} tabIndex={0} role="group" aria-label={file.name}>
          {hunks.map((hunk, i) => (
            <div key={i}>
              <div className={patchCss.hunk}>{hunk.header}</div>
              {hunk.lines.map((line, j) => (
                <DiffLine key={j} line={line} />
              ))}
            </div>
          ))}
        </div>
      )}
    </section>
  )
}
