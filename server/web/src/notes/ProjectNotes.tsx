import css from './ProjectNotes.module.css'
import embeddedPanelCss from './EmbeddedPanel.module.css'
import { Button, Container, Group, Menu, Text, Title } from '@mantine/core'
import { IconChartLine, IconLink, IconPencil } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { ApiError } from '../api/client'
import { loadView, projectQuery, saveNotes, type Project } from '../api/views'
import { showError } from '../shell/showError'
import { projectAddress } from '../lib/pageAddress'
import { Empty } from '../shell/Empty'
import { Failed } from '../shell/Failed'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { useRights } from '../access/rights'
import { Editor } from './Editor'
import { EmbeddedPanel } from './EmbeddedPanel'
import { Markdown } from './Markdown'

/** Show a project's notes: text with live panels. */
export function ProjectNotes() {
  const { entity = '', project = '' } = useParams({ strict: false })
  usePageTitle(strings.notes.title, project)
  const { data, error, refetch } = useQuery(projectQuery({ entity, project }))
  const [editing, setEditing] = useState(false)
  const mayEdit = useRights(entity, project).has('edit')
  if (error && !data) return <Failed error={error} reset={() => void refetch()} />
  if (!data) return <Waiting />
  const { notes } = data
  const panel = (source: string) => <EmbeddedPanel entity={entity} project={project} source={source} />
  return (
    <Container size="md" py="lg">
      <Group justify="space-between" mb="md">
        <Title order={1} size="h2">
          {strings.notes.title}
        </Title>
        {mayEdit && !editing && notes.text && (
          <Button
            variant="default"
            size="compact-md"
            leftSection={<IconPencil size={16} />}
            onClick={() => setEditing(true)}
          >
            {strings.common.edit}
          </Button>
        )}
      </Group>
      {editing && <Editing project={data} panel={panel} close={() => setEditing(false)} />}
      {!editing && notes.text && (
        <article className={`panel ${css.page}`}>
          <Markdown text={notes.text} panel={panel} under={1} />
        </article>
      )}
      {!editing && !notes.text && (
        <Empty title={strings.notes.none}>
          {mayEdit && (
            <>
              {strings.notes.noneText}
              <div>
                <Button mt="md" onClick={() => setEditing(true)}>
                  {strings.notes.begin}
                </Button>
              </div>
            </>
          )}
        </Empty>
      )}
    </Container>
  )
}

interface EditingProps {
  project: Project
  panel: (source: string) => React.ReactNode
  close: () => void
}

/** Edit the notes. Saving names the version that it replaces, so nobody overwrites changes that they have not seen. */
function Editing({ project, panel, close }: EditingProps) {
  const { entity, project: name } = project
  const client = useQueryClient()
  const key = projectQuery({ entity, project: name }).queryKey
  // Keep the version that is being edited, even if others save meanwhile.
  const [start] = useState(project.notes)
  const [version, setVersion] = useState(start.version)
  const [theirs, setTheirs] = useState<string | null>(null)
  const [conflict, setConflict] = useState(false)
  const save = useMutation({
    mutationFn: (text: string) => saveNotes({ entity, project: name }, { text, version }),
    onSuccess: async (notes) => {
      client.setQueryData(key, { ...project, notes })
      close()
      await client.invalidateQueries({ queryKey: key })
    },
    onError: async (error) => {
      if (!(error instanceof ApiError) || error.status !== 409) return showError(error)
      const now = await client.fetchQuery({ ...projectQuery({ entity, project: name }), staleTime: 0 })
      setVersion(now.notes.version)
      setTheirs(now.notes.text)
      setConflict(true)
    },
  })
  return (
    <Editor
      label={strings.notes.text}
      text={start.text}
      rows={16}
      saving={save.isPending}
      save={(text) => save.mutate(text)}
      cancel={close}
      panel={panel}
      problem={conflict && <Conflict theirs={theirs ?? ''} panel={panel} />}
      saveLabel={conflict ? strings.notes.replace : undefined}
      tools={(insert) => <Tools project={project} insert={insert} />}
    />
  )
}

function Conflict({ theirs, panel }: { theirs: string; panel: EditingProps['panel'] }) {
  return (
    <div className={embeddedPanelCss.notice} role="alert">
      <Text fw={600}>{strings.notes.conflict}</Text>
      <details>
        <summary>{strings.notes.theirs}</summary>
        <Markdown text={theirs} panel={panel} />
      </details>
    </div>
  )
}

const PANEL = '\n```panel\nkey: loss\nfilter: state = "finished"\nlimit: 10\n```\n'

function Tools({ project, insert }: { project: Project; insert: (text: string) => void }) {
  const place = { entity: project.entity, project: project.project }
  const insertView = async (name: string) => {
    try {
      const view = await loadView(place, name)
      const address = `${projectAddress(place.entity, place.project)}?v=${encodeURIComponent(JSON.stringify(view))}`
      insert(`[${name.replace(/[[\]\\]/g, '\\$&')}](${address.replaceAll('(', '%28').replaceAll(')', '%29')})`)
    } catch (error) {
      showError(error)
    }
  }
  return (
    <>
      <Button
        variant="default"
        size="compact-sm"
        leftSection={<IconChartLine size={14} />}
        onClick={() => insert(PANEL)}
      >
        {strings.notes.insertPanel}
      </Button>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button variant="default" size="compact-sm" leftSection={<IconLink size={14} />}>
            {strings.notes.insertView}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {project.views.map((view) => (
            <Menu.Item key={view.name} onClick={() => void insertView(view.name)}>
              {view.name}
            </Menu.Item>
          ))}
          {!project.views.length && <Menu.Label>{strings.notes.noViews}</Menu.Label>}
        </Menu.Dropdown>
      </Menu>
    </>
  )
}
