import { refine } from '../view/view.ts';
import { useLog } from './context.ts';
import { logName } from './names.ts';

/** The logs of which one has to be chosen, because the token is for several. */
export function ChooseLog() {
  const log = useLog();
  const { session, view, change } = log;
  return (
    <ul class="choose-log">
      {session.viewer.logChoices.map(({ level, externalId: id, name }) => (
        <li key={`${level}:${id}`}>
          <button type="button" class="button" onClick={() => change(refine(view, { log: { level, id } }))}>
            <bdi>{logName(log, { level, id, name })}</bdi>
          </button>
        </li>
      ))}
    </ul>
  );
}
