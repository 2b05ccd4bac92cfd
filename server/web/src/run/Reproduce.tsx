import factsCss from './Facts.module.css'
import css from './Reproduce.module.css'
import { Anchor, Stack, Text, Title } from '@mantine/core'
import { useRights } from '../access/rights'
import { useWhoami } from '../api/whoami'
import { pathOf } from '../api/paths'
import { CopyButton } from '../shell/CopyButton'
import { strings } from '../strings'
import { pageOf, quoted, type Environment } from './environment'
import { Fact, Facts } from './Facts'
import type { TabProps } from './props'
import { TabLink } from './TabLink'

/** Show which code ran, and with which command. */
export function GitFacts({ environment }: { environment: Environment }) {
  const { git, command, program, cwd, python, executable } = environment
  if (!git && !command && !program) return null
  const commitPage = pageOf(git?.remote, git?.commit)
  const repositoryPage = pageOf(git?.remote)
  return (
    <Facts title={strings.run.tabs.code}>
      <Fact name={strings.run.command} text={command} mono copy />
      {!command && <Fact name={strings.run.program} text={program} mono copy />}
      <Fact name={strings.run.cwd} text={cwd} mono copy />
      <Fact name={strings.run.python} text={[python, executable].filter(Boolean).join(' · ')} />
      {git?.commit && (
        <Fact name={strings.run.commit} text={git.commit} copy>
          <span className="mono">
            {commitPage ? <Outside to={commitPage}>{git.commit.slice(0, 12)}</Outside> : git.commit.slice(0, 12)}
          </span>
          {git.dirty && (
            <>
              {', '}
              <Anchor component={TabLink} tab="code" inherit underline="always">
                {strings.run.dirty}
              </Anchor>
            </>
          )}
          {git.dirty === false && `, ${strings.run.clean}`}
        </Fact>
      )}
      <Fact name={strings.run.branch} text={git?.branch} mono />
      {git?.remote && (
        <Fact name={strings.run.remote} text={git.remote} copy>
          {repositoryPage ? <Outside to={repositoryPage}>{git.remote}</Outside> : git.remote}
        </Fact>
      )}
    </Facts>
  )
}

function Outside({ to, children }: { to: string; children: string }) {
  return (
    <Anchor href={to} target="_blank" rel="noopener noreferrer" inherit>
      {children}
    </Anchor>
  )
}

/** Show commands that restore, resume and fork the run. */
export function Reproduce({ run, environment }: TabProps & { environment: Environment }) {
  const path = pathOf(run)
  const mayLog = useRights(run.entity, run.project).has('log')
  const isLink = useWhoami()?.kind === 'link'
  const hasCode = environment.git || environment.files.length > 0
  // All of these need an API key, and most need one that logs.
  if (isLink || (!mayLog && !hasCode)) return null
  const place = `project=${JSON.stringify(run.project)}, entity=${JSON.stringify(run.entity)}`
  return (
    <section className={`panel ${factsCss.facts}`}>
      <Title order={2} size="h5" mb="xs">
        {strings.run.reproduce}
      </Title>
      <Stack gap="sm">
        {hasCode && (
          <Command
            name={strings.run.restore}
            text={`tracker restore ${quoted(path)}`}
            about={strings.run.restoreText}
          />
        )}
        {mayLog && run.state !== 'running' && (
          <Command name={strings.run.resume} text={`tracker.init(id="${run.id}", resume="must", ${place})`} />
        )}
        {mayLog && run.last_step !== null && (
          <Command
            name={strings.run.fork}
            text={`tracker.init(fork_from="${path}?_step=${run.last_step}", ${place})`}
          />
        )}
      </Stack>
    </section>
  )
}

function Command({ name, text, about }: { name: string; text: string; about?: string }) {
  return (
    <div>
      <Text size="sm" c="dimmed" title={about}>
        {name}
      </Text>
      <div className={css.command}>
        <code className="mono wrap">{text}</code>
        <CopyButton text={text} what={name} />
      </div>
    </div>
  )
}
