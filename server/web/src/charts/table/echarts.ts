/** The parts of ECharts that are used. Only panels that need it import this, so that it loads with the first one. */
import { BarChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, TooltipComponent, VisualMapContinuousComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

use([BarChart, LineChart, ScatterChart, GridComponent, TooltipComponent, VisualMapContinuousComponent, CanvasRenderer])

export { init }
