import { Button, Group, Modal, Stack } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { IconPlus } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Confirm } from '../access/Confirm'
import { EntityPicker } from '../access/EntityPicker'
import { List, Row } from '../access/List'
import { Mark } from '../access/Mark'
import { RoleSelect } from '../access/RoleSelect'
import { Searched } from '../access/Searched'
import { Section } from '../access/Section'
import { usePages } from '../api/pages'
import { membersOf, removeMember, setMember, type Member } from '../api/people'
import { useWhoami, type Role } from '../api/whoami'
import { ago } from '../lib/format'
import { showError } from '../shell/showError'
import { strings } from '../strings'

const texts = strings.teams

interface MembersProps {
  team: string
  /** Whether the reader may change members */
  managed: boolean
}

/** List the members of a team, and change them. */
export function Members({ team, managed }: MembersProps) {
  const me = useWhoami()?.name
  const [search, setSearch] = useState('')
  const list = usePages(membersOf(team), search)
  const [adding, { open, close }] = useDisclosure()
  const [removed, setRemoved] = useState<Member | null>(null)
  return (
    <Section
      title={texts.membersTitle}
      action={
        managed && (
          <Button size="compact-md" leftSection={<IconPlus size={16} />} onClick={open}>
            {texts.addMember}
          </Button>
        )
      }
    >
      <Searched label={texts.searchMembers} total={list.total} search={search} onSearch={setSearch} />
      <List
        list={list}
        label={texts.membersTitle}
        search={search}
        empty={texts.noMembers}
        idOf={(member) => member.account}
        row={(member) => (
          <MemberRow {...{ team, member, managed }} isMe={member.account === me} onRemove={() => setRemoved(member)} />
        )}
      />
      {adding && <AddMember team={team} onClose={close} />}
      {removed && (
        <Confirm
          title={removed.account === me ? texts.leave : texts.remove(removed.account)}
          text={removed.account === me ? texts.leaveSure(team) : texts.removeSure(removed.account, team)}
          act={removed.account === me ? texts.leave : strings.common.remove}
          onSure={() => removeMember(team, removed.account, removed.role)}
          onClose={() => setRemoved(null)}
        />
      )}
    </Section>
  )
}

interface MemberRowProps extends MembersProps {
  member: Member
  isMe: boolean
  onRemove: () => void
}

function MemberRow({ team, member, managed, isMe, onRemove }: MemberRowProps) {
  const change = useMutation({
    mutationFn: (role: Role) => setMember(team, member.account, role, member.role),
    onError: showError,
  })
  const { state } = member
  return (
    <Row
      title={
        <Group gap={6}>
          <span className="wrap">{member.account}</span>
          {isMe && <Mark text={strings.accounts.you} />}
          {state !== 'active' && <Mark text={strings.accounts.states[state]} kind="warn" />}
        </Group>
      }
      facts={[
        !managed && strings.access.roles[member.role],
        texts.since(ago(member.since)),
        member.source !== 'manual' && texts.fromProvider(member.source),
      ]}
    >
      {managed && (
        <RoleSelect
          value={change.isPending ? change.variables : member.role}
          onChange={(role) => role !== member.role && change.mutate(role)}
          label={texts.roleOf(member.account)}
          disabled={change.isPending}
        />
      )}
      {managed && (
        <Button
          size="compact-sm"
          variant="default"
          onClick={onRemove}
          aria-label={isMe ? texts.leave : texts.remove(member.account)}
        >
          {isMe ? texts.leave : strings.common.remove}
        </Button>
      )}
    </Row>
  )
}

function AddMember({ team, onClose }: { team: string; onClose: () => void }) {
  const [account, setAccount] = useState('')
  const [role, setRole] = useState<Role>('member')
  const add = useMutation({
    mutationFn: () => setMember(team, account.trim(), role, 'none'),
    onSuccess: () => {
      notifications.show({ message: texts.added(account.trim()) })
      onClose()
    },
  })
  return (
    <Modal opened onClose={onClose} title={texts.addMember} closeButtonProps={{ 'aria-label': strings.common.close }}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (account.trim()) add.mutate()
        }}
      >
        <Stack gap="md">
          <Group align="flex-start" gap="sm">
            <EntityPicker
              label={texts.account}
              value={account}
              onChange={(name) => {
                add.reset()
                setAccount(name)
              }}
              kinds={['account']}
              error={add.error?.message}
            />
            <RoleSelect label={strings.access.role} labelled value={role} onChange={setRole} />
          </Group>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {strings.common.cancel}
            </Button>
            <Button type="submit" disabled={!account.trim()} loading={add.isPending}>
              {texts.addMember}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
