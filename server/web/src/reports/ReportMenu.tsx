import { ActionIcon, Menu } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconDots, IconDownload, IconHistory, IconLink, IconPrinter, IconTrash } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Confirm } from '../access/Confirm'
import { deleteReport, exportAddress, type Report } from '../api/reports'
import { ROOT } from '../api/session'
import { reportsAddress } from '../lib/pageAddress'
import { strings } from '../strings'

const texts = strings.reports

interface Props {
  report: Report
  mayEdit: boolean
  onVersions: () => void
}

/** What can be done with a report besides editing and sharing it. */
export function ReportMenu({ report, mayEdit, onVersions }: Props) {
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const copyLink = async () => {
    // This address stays valid when the project gets another name.
    await navigator.clipboard.writeText(`${window.location.origin}${ROOT}/reports/${report.id}`)
    notifications.show({ message: texts.linked })
  }
  const remove = async () => {
    await deleteReport(report)
    notifications.show({ message: texts.deleted(report.title) })
    await navigate({ to: reportsAddress(report.entity, report.project) })
  }
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="default" size={30} aria-label={texts.more}>
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {mayEdit && (
            <Menu.Item leftSection={<IconHistory size={16} />} onClick={onVersions}>
              {texts.versions}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconLink size={16} />} onClick={() => void copyLink()}>
            {texts.copyLink}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconDownload size={16} />}
            component="a"
            href={exportAddress(report, 'html')}
            download
          >
            {texts.exportHtml}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconDownload size={16} />}
            component="a"
            href={exportAddress(report, 'markdown')}
            download
          >
            {texts.exportMarkdown}
          </Menu.Item>
          <Menu.Item leftSection={<IconPrinter size={16} />} onClick={() => window.print()}>
            {texts.print}
          </Menu.Item>
          {mayEdit && (
            <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={() => setAsking(true)}>
              {texts.delete}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {asking && (
        <Confirm
          title={texts.deleteTitle(report.title)}
          text={texts.deleteText}
          act={texts.delete}
          onSure={remove}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}
