import css from './StepSlider.module.css'
import { Group, Slider, Text } from '@mantine/core'
import { strings } from '../../strings'

/** Choose one of the logged steps, which are evenly spaced on the slider. */
export function StepSlider({ steps, step, onStep }: { steps: number[]; step: number; onStep: (step: number) => void }) {
  const at = Math.max(
    0,
    steps.findLastIndex((one) => one <= step),
  )
  const text = strings.charts.media
  return (
    <Group gap="sm" wrap="nowrap" className={css.steps}>
      <Slider
        flex={1}
        size="sm"
        min={0}
        max={steps.length - 1}
        value={at}
        onChange={(place) => onStep(steps[place]!)}
        label={(place) => text.step(steps[place]!)}
        thumbLabel={text.choose}
      />
      <Text size="xs" c="dimmed" miw={70}>
        {text.step(steps[at]!)}
      </Text>
    </Group>
  )
}
