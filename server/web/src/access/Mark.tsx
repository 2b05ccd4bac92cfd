import css from './Mark.module.css'

/** A short word beside a name, such as a state. */
export const Mark = ({ text, kind = 'plain' }: { text: string; kind?: 'plain' | 'strong' | 'warn' }) => (
  <span className={`${css.mark} ${kind === 'plain' ? '' : kind === 'strong' ? css.strong : css.warn}`}>{text}</span>
)
