import { ActionIcon, Group, Menu, Modal, NumberInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconDots } from '@tabler/icons-react'
import { useState } from 'react'
import { Confirm } from '../access/Confirm'
import { EntityPicker } from '../access/EntityPicker'
import { Row } from '../access/List'
import { Mark } from '../access/Mark'
import { NameDialog } from '../access/NameDialog'
import { changeAccount, removeAccount, resetAccount, type AccountChange, type AccountInfo } from '../api/people'
import { ago, size } from '../lib/format'
import { showError } from '../shell/showError'
import { strings } from '../strings'
import { OneTimeLink } from './NewAccount'

const texts = strings.accounts
const GB = 1e9

type Asked = 'disable' | 'rename' | 'quota' | 'remove'

/** One account, and what a server admin may do with it. */
export function AccountRow({ account, isMe }: { account: AccountInfo; isMe: boolean }) {
  const { name } = account
  const [asked, setAsked] = useState<Asked | null>(null)
  const [link, setLink] = useState<string | null>(null)
  const change = (body: AccountChange, said: string) =>
    changeAccount(name, body).then(() => notifications.show({ message: said }))
  const now = (body: AccountChange, said: string) => void change(body, said).catch(showError)
  const reset = () => void resetAccount(name).then((made) => setLink(made.link), showError)
  const close = () => setAsked(null)
  return (
    <>
      <Row
        title={
          <Group gap={6}>
            <span className="wrap">{name}</span>
            {isMe && <Mark text={texts.you} />}
            {account.admin && <Mark text={texts.admin} kind="strong" />}
            {account.state !== 'active' && <Mark text={texts.states[account.state]} kind="warn" />}
          </Group>
        }
        facts={[
          account.email,
          account.seen ? texts.seen(ago(account.seen)) : texts.unseen,
          account.quota != null && texts.quotaOf(size(account.quota)),
        ]}
      >
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={texts.actions(name)}>
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={reset}>{texts.reset}</Menu.Item>
            <Menu.Item onClick={() => setAsked('rename')}>{texts.rename}</Menu.Item>
            <Menu.Item onClick={() => setAsked('quota')}>{texts.quota}</Menu.Item>
            <Menu.Item onClick={() => now({ admin: !account.admin }, texts.adminChanged(name))}>
              {account.admin ? texts.endAdmin : texts.makeAdmin}
            </Menu.Item>
            <Menu.Divider />
            {account.state === 'disabled' ? (
              <Menu.Item onClick={() => now({ state: 'active' }, texts.enabled(name))}>{texts.enable}</Menu.Item>
            ) : (
              <Menu.Item onClick={() => setAsked('disable')}>{texts.disable}</Menu.Item>
            )}
            <Menu.Item color="red" onClick={() => setAsked('remove')}>
              {texts.remove}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Row>
      {asked === 'disable' && (
        <Confirm
          title={texts.disable}
          text={texts.disableSure(name)}
          act={texts.disable}
          onSure={() => change({ state: 'disabled' }, texts.disabled(name))}
          onClose={close}
        />
      )}
      {asked === 'rename' && (
        <NameDialog
          title={texts.renameTitle(name)}
          text={strings.teams.renameText}
          label={texts.name}
          act={strings.teams.rename}
          name={name}
          onSave={(to) => change({ name: to }, strings.teams.renamed(to))}
          onClose={close}
        />
      )}
      {asked === 'quota' && <Quota account={account} onSave={change} onClose={close} />}
      {asked === 'remove' && <Remove name={name} onClose={close} />}
      {link !== null && (
        <Modal
          opened
          onClose={() => setLink(null)}
          title={texts.reset}
          closeButtonProps={{ 'aria-label': strings.common.close }}
        >
          <OneTimeLink name={name} link={link} onClose={() => setLink(null)} />
        </Modal>
      )}
    </>
  )
}

interface QuotaProps {
  account: AccountInfo
  onSave: (body: AccountChange, said: string) => Promise<unknown>
  onClose: () => void
}

function Quota({ account, onSave, onClose }: QuotaProps) {
  const [amount, setAmount] = useState<number | string>(account.quota == null ? '' : account.quota / GB)
  const quota = typeof amount === 'number' ? Math.round(amount * GB) : null
  return (
    <Confirm
      title={texts.quotaTitle(account.name)}
      text={texts.quotaText}
      act={strings.common.save}
      color="indigo"
      ready={quota !== (account.quota ?? null)}
      onSure={() => onSave({ quota }, texts.adminChanged(account.name))}
      onClose={onClose}
    >
      <NumberInput
        label={texts.quotaLabel}
        value={amount}
        onChange={setAmount}
        min={0}
        decimalScale={3}
        data-autofocus
      />
    </Confirm>
  )
}

function Remove({ name, onClose }: { name: string; onClose: () => void }) {
  const [heir, setHeir] = useState('')
  return (
    <Confirm
      title={texts.removeTitle(name)}
      text={texts.removeText}
      act={strings.common.remove}
      onSure={async () => {
        await removeAccount(name, heir.trim() || null)
        notifications.show({ message: texts.removed(name) })
      }}
      onClose={onClose}
    >
      <EntityPicker
        label={texts.runsTo}
        description={texts.runsToText}
        value={heir}
        onChange={setHeir}
        kinds={['team', 'account']}
        except={name}
      />
    </Confirm>
  )
}
