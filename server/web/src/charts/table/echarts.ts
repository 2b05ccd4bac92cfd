/** The part of ECharts that is used. Only panels that draw with it import this, so that it is loaded with the first. */
import { BarChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, TooltipComponent, VisualMapContinuousComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

use([BarChart, LineChart, ScatterChart, GridComponent, TooltipComponent, VisualMapContinuousComponent, CanvasRenderer])

export { init }
