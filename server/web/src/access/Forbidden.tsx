import { Empty } from '../shell/Empty'
import { strings } from '../strings'

/** Say that this page is not for whoever opened it. */
export const Forbidden = () => <Empty title={strings.access.forbidden}>{strings.access.forbiddenText}</Empty>
