import { Button, Group, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { Confirm } from '../access/Confirm'
import { EntityPicker } from '../access/EntityPicker'
import { Section } from '../access/Section'
import { changeProject, copyProject, deleteProject } from '../api/projectSettings'
import type { Place } from '../api/paths'
import { projectsQuery } from '../api/queries'
import { projectAddress } from '../lib/pageAddress'
import { showError } from '../shell/showError'
import { strings } from '../strings'

const texts = strings.settings

/** Rename a project. */
export function Rename({ place }: { place: Place }) {
  const navigate = useNavigate()
  const [name, setName] = useState(place.project)
  const wanted = name.trim()
  const rename = useMutation({
    mutationFn: () => changeProject(place, { name: wanted }),
    onSuccess: async () => {
      notifications.show({ message: texts.renamed })
      await navigate({ to: `${projectAddress(place.entity, wanted)}/settings`, replace: true })
    },
    onError: showError,
  })
  return (
    <Change
      title={texts.rename}
      text={texts.renameText}
      act={strings.teams.rename}
      ready={wanted !== '' && wanted !== place.project}
      pending={rename.isPending}
      onSubmit={() => rename.mutate()}
    >
      <TextInput
        aria-label={texts.rename}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        flex={1}
        miw={200}
      />
    </Change>
  )
}

/** Move a project to another team or account. */
export function Move({ place }: { place: Place }) {
  const navigate = useNavigate()
  const [entity, setEntity] = useState('')
  const wanted = entity.trim()
  const move = useMutation({
    mutationFn: () => changeProject(place, { entity: wanted }),
    onSuccess: async () => {
      notifications.show({ message: texts.moved(wanted) })
      await navigate({ to: projectAddress(wanted, place.project), replace: true })
    },
    onError: showError,
  })
  return (
    <Change
      title={texts.move}
      text={texts.moveText}
      act={texts.moveButton}
      ready={wanted !== '' && wanted !== place.entity}
      pending={move.isPending}
      onSubmit={() => move.mutate()}
    >
      <EntityPicker label={texts.to} value={entity} onChange={setEntity} kinds={['mine']} except={place.entity} />
    </Change>
  )
}

/** Copy a project with its runs. */
export function Copy({ place }: { place: Place }) {
  const navigate = useNavigate()
  const [entity, setEntity] = useState(place.entity)
  const [name, setName] = useState(texts.copyOf(place.project))
  const to = { entity: entity.trim(), project: name.trim() }
  const copy = useMutation({
    mutationFn: () => copyProject(place, to),
    onSuccess: async () => {
      notifications.show({ message: texts.copied(`${to.entity}/${to.project}`) })
      await navigate({ to: projectAddress(to.entity, to.project) })
    },
    onError: showError,
  })
  return (
    <Change
      title={texts.copy}
      text={texts.copyText}
      act={texts.copyButton}
      ready={to.entity !== '' && to.project !== ''}
      pending={copy.isPending}
      onSubmit={() => copy.mutate()}
    >
      <EntityPicker label={texts.to} value={entity} onChange={setEntity} kinds={['mine']} />
      <TextInput
        label={texts.copyName}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        flex={1}
        miw={180}
      />
    </Change>
  )
}

/** Delete a project, after its name was typed. */
export function Delete({ place }: { place: Place }) {
  const navigate = useNavigate()
  const { data: projects } = useQuery(projectsQuery)
  const [asks, setAsks] = useState(false)
  const [typed, setTyped] = useState('')
  const runs = projects?.find((one) => one.entity === place.entity && one.project === place.project)?.runs
  const text = texts.deleteText(runs === undefined ? texts.itsRuns : strings.common.runs(runs))
  return (
    <Section title={texts.delete} text={text}>
      <Group>
        <Button variant="default" c="var(--removed)" onClick={() => setAsks(true)}>
          {texts.delete}
        </Button>
      </Group>
      {asks && (
        <Confirm
          title={texts.delete}
          text={text}
          act={texts.delete}
          ready={typed === place.project}
          onSure={async () => {
            await deleteProject(place)
            notifications.show({ message: texts.deleted(place.project) })
            await navigate({ to: '/', replace: true })
          }}
          onClose={() => setAsks(false)}
        >
          <TextInput
            label={texts.deleteLabel(place.project)}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
        </Confirm>
      )}
    </Section>
  )
}

interface ChangeProps {
  title: string
  text: string
  /** The button, a verb */
  act: string
  ready: boolean
  pending: boolean
  onSubmit: () => void
  children: ReactNode
}

/** A section with fields and a button. */
function Change({ title, text, act, ready, pending, onSubmit, children }: ChangeProps) {
  return (
    <Section title={title} text={text}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (ready) onSubmit()
        }}
      >
        <Group align="flex-end" gap="sm">
          {children}
          <Button type="submit" variant="default" disabled={!ready} loading={pending}>
            {act}
          </Button>
        </Group>
      </form>
    </Section>
  )
}
