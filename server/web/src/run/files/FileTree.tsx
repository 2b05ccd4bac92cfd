import css from './FileTree.module.css'
import { Text, UnstyledButton } from '@mantine/core'
import { IconChevronDown, IconChevronRight, IconFile, IconFolder } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { size } from '../../lib/format'
import { treeOf, type Folder } from './tree'
import type { RunFile } from './useFiles'

interface Props {
  files: RunFile[]
  /** Show all folders open, as while searching */
  open: boolean
  chosen?: string
  choose: (name: string) => void
}

const FEW = 40

/** Show folders and files, sorted by name. */
export function FileTree({ files, open, chosen, choose }: Props) {
  const tree = useMemo(() => treeOf(files), [files])
  return <Level folder={tree} depth={0} open={open || files.length <= FEW} chosen={chosen} choose={choose} />
}

type LevelProps = Omit<Props, 'files'> & { folder: Folder<RunFile>; depth: number }

function Level({ folder, depth, ...rest }: LevelProps) {
  return (
    <ul className="plain-list">
      {folder.folders.map((inner) => (
        <Branch key={inner.path} folder={inner} depth={depth} {...rest} />
      ))}
      {folder.files.map(({ name, file }) => (
        <li key={file.name}>
          <UnstyledButton
            className={css.row}
            style={{ paddingLeft: 12 + 16 * depth + 18 }}
            aria-current={file.name === rest.chosen || undefined}
            onClick={() => rest.choose(file.name)}
            title={file.name}
          >
            <IconFile size={15} aria-hidden className={css.icon} />
            <Text size="sm" truncate className="grow">
              {name}
            </Text>
            <Text size="xs" c="dimmed" className="nowrap">
              {size(file.size)}
            </Text>
          </UnstyledButton>
        </li>
      ))}
    </ul>
  )
}

function Branch({ folder, ...rest }: LevelProps) {
  const holdsChosen = rest.chosen?.startsWith(`${folder.path}/`) ?? false
  const [opened, setOpened] = useState<boolean | null>(null)
  const isOpen = opened ?? (rest.open || holdsChosen)
  const Chevron = isOpen ? IconChevronDown : IconChevronRight
  return (
    <li>
      <UnstyledButton
        className={css.row}
        style={{ paddingLeft: 12 + 16 * rest.depth }}
        aria-expanded={isOpen}
        onClick={() => setOpened(!isOpen)}
        title={folder.path}
      >
        <Chevron size={14} aria-hidden className={css.icon} />
        <IconFolder size={15} aria-hidden className={css.icon} />
        <Text size="sm" truncate className="grow">
          {folder.name}
        </Text>
        <Text size="xs" c="dimmed" className="nowrap">
          {folder.count} · {size(folder.size)}
        </Text>
      </UnstyledButton>
      {isOpen && <Level {...rest} folder={folder} depth={rest.depth + 1} />}
    </li>
  )
}
