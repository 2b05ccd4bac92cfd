import { useDebouncedValue } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { Spotlight, type SpotlightActionGroupData } from '@mantine/spotlight'
import {
  IconFolder,
  IconHistory,
  IconHome,
  IconKeyboard,
  IconLink,
  IconPalette,
  IconPoint,
  IconReport,
  IconSearch,
  IconSettings,
  IconUser,
  IconUsers,
  IconUsersGroup,
} from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import type { Place, RunPlace } from '../api/paths'
import { readsAudit, reachesProject, useRights } from '../access/rights'
import { IS_SHARED } from '../api/session'
import { useWhoami } from '../api/whoami'
import { projectsQuery } from '../api/queries'
import { ago } from '../lib/format'
import { fetchTable } from '../api/table'
import { strings } from '../strings'
import { projectAddress, reportsAddress, runAddress } from '../lib/pageAddress'
import { useTheme } from './Theme'

const PROJECTS = 8
const RUNS = 8
const SEARCHED = 6

/** Find projects, runs and commands by name. */
export function CommandPalette({ showShortcuts }: { showShortcuts: () => void }) {
  const [text, setText] = useState('')
  const groups = [...useProjects(text), ...useRuns(text), ...useCommands(text, showShortcuts)]
  return (
    <Spotlight
      query={text}
      onQueryChange={setText}
      actions={groups}
      filter={(_query, actions) => actions}
      nothingFound={strings.palette.nothing}
      attributes={{ content: { 'aria-label': strings.palette.dialog } }}
      scrollable
      maxHeight={420}
      tagsToIgnore={[]}
      shortcut={['mod + K']}
      overlayProps={{ backgroundOpacity: 0.35, blur: 0 }}
      searchProps={{
        // Runs arrive after a moment; Enter opens the first result by then.
        onKeyDown: (event) => {
          if (event.key !== 'Enter' || document.querySelector('[data-action][data-selected]')) return
          document.querySelector<HTMLElement>('[data-action]')?.click()
        },
        leftSection: <IconSearch size={18} />,
        placeholder: strings.palette.placeholder,
        'aria-label': strings.palette.title,
      }}
    />
  )
}

const has = (name: string, text: string) => name.toLowerCase().includes(text.trim().toLowerCase())

function useProjects(text: string): SpotlightActionGroupData[] {
  const { data: projects = [] } = useQuery({ ...projectsQuery, enabled: !IS_SHARED })
  const navigate = useNavigate()
  const found = projects
    .filter((one) => has(`${one.entity}/${one.project}`, text))
    .sort((a, b) => b.updated - a.updated)
    .slice(0, PROJECTS)
  if (!found.length) return []
  const actions = found.map((one) => ({
    id: `project ${one.entity}/${one.project}`,
    label: `${one.entity}/${one.project}`,
    description: `${strings.common.runs(one.runs)} · ${ago(one.updated)}`,
    leftSection: <IconFolder size={18} />,
    onClick: () => void navigate({ to: projectAddress(one.entity, one.project) }),
  }))
  return [{ group: strings.palette.projects, actions }]
}

interface Found extends RunPlace {
  name: string
  created: number
}

/** Find runs by name: in the open project, else in the most recently active ones. */
async function findRuns(places: Place[], search: string, signal: AbortSignal): Promise<Found[]> {
  const sort = [{ column: 'created', descending: true }]
  const answers = await Promise.all(
    places.map(async ({ entity, project }) => {
      const wanted = { filter: '', search, sort, columns: ['name', 'created'], offset: 0, limit: RUNS }
      const found = await fetchTable({ entity, project }, wanted, signal)
      return found.runs.map((id, i) => ({
        ...{ entity, project, id },
        name: String(found.columns.name?.[i] ?? id),
        created: Number(found.columns.created?.[i] ?? 0),
      }))
    }),
  )
  return answers
    .flat()
    .sort((a, b) => b.created - a.created)
    .slice(0, RUNS)
}

function useRuns(text: string): SpotlightActionGroupData[] {
  const { entity, project } = useParams({ strict: false })
  const { data: projects = [] } = useQuery({ ...projectsQuery, enabled: !IS_SHARED })
  const hasProject = reachesProject(useWhoami())
  const navigate = useNavigate()
  const [search] = useDebouncedValue(text.trim(), 150)
  const latest = [...projects].sort((a, b) => b.updated - a.updated).slice(0, SEARCHED)
  const places = entity && project ? [{ entity, project }] : latest
  const { data: found = [] } = useQuery({
    queryKey: ['palette', places.map((one) => `${one.entity}/${one.project}`), search],
    queryFn: ({ signal }) => findRuns(places, search, signal),
    enabled: search.length > 0 && hasProject,
    placeholderData: keepPreviousData,
    retry: false,
  })
  if (!search || !found.length) return []
  const actions = found.map((one) => ({
    id: `run ${one.entity}/${one.project}/${one.id}`,
    label: one.name,
    description: `${one.entity}/${one.project}/${one.id} · ${ago(one.created)}`,
    leftSection: <IconPoint size={18} />,
    onClick: () => void navigate({ to: runAddress(one) }),
  }))
  return [{ group: strings.palette.runs, actions }]
}

function useCommands(text: string, showShortcuts: () => void): SpotlightActionGroupData[] {
  const { entity, project } = useParams({ strict: false })
  const navigate = useNavigate()
  const { next } = useTheme()
  const whoami = useWhoami()
  const rights = useRights(entity ?? '', project ?? '')
  const isTeam = whoami?.mode === 'team' && whoami.kind !== 'link'
  const hasReports = whoami?.kind !== 'link' || whoami.shared?.kind === 'project'
  const go = (label: string, icon: typeof IconHome, to: string) => ({
    label,
    icon,
    onClick: () => void navigate({ to }),
  })
  const copyLink = () => {
    void navigator.clipboard
      .writeText(window.location.href)
      .then(() => notifications.show({ message: strings.palette.linked }))
  }
  const all = [
    ...(IS_SHARED ? [] : [go(strings.shell.home, IconHome, '/')]),
    ...(entity && project && hasReports
      ? [go(strings.palette.reports, IconReport, reportsAddress(entity, project))]
      : []),
    ...(entity && project && isTeam && rights.has('manage_project')
      ? [go(strings.menu.settings, IconSettings, `${projectAddress(entity, project)}/settings`)]
      : []),
    ...(isTeam
      ? [go(strings.menu.account, IconUser, '/account'), go(strings.menu.teams, IconUsersGroup, '/teams')]
      : []),
    ...(isTeam && whoami.is_admin ? [go(strings.menu.accounts, IconUsers, '/accounts')] : []),
    ...(isTeam && readsAudit(whoami) ? [go(strings.menu.audit, IconHistory, '/audit')] : []),
    { label: strings.palette.link, icon: IconLink, onClick: copyLink },
    { label: strings.palette.theme, icon: IconPalette, onClick: next },
    { label: strings.palette.shortcuts, icon: IconKeyboard, onClick: showShortcuts },
  ]
  const found = all.filter((one) => has(one.label, text))
  if (!found.length) return []
  const actions = found.map(({ label, icon: Icon, onClick }) => ({
    ...{ id: `command ${label}`, label, onClick },
    leftSection: <Icon size={18} />,
  }))
  return [{ group: strings.palette.commands, actions }]
}
