import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { pollDelay } from '../api/retry.ts';
import { LogModel, type ListState } from '../log/model.ts';
import type { Session } from '../log/session.ts';
import { asked, within } from '../view/locked.ts';
import { everyLog, type View } from '../view/view.ts';
import type { Config, LogContext } from './context.ts';

/** The view that is on the screen, its place in the browser's history, and the list that answers it. */
export function useModel(config: Config, session: Session, takesNews: () => boolean) {
  const { product, logChoices } = session.viewer;
  const [chosen, setView] = useState(() => config.history.read());
  // Where one log of several has to be named and one alone is left, there is nothing to choose.
  const only = logChoices.length === 1 ? logChoices[0]! : null;
  const hasChoices = logChoices.length > 0;
  const view = useMemo<View>(() => {
    const own = within(chosen, config.locked);
    // Neither can all of them be had in one list.
    if (!hasChoices || (own.log !== null && own.log !== everyLog)) return own;
    return { ...own, log: only && { level: only.level, id: only.externalId } };
  }, [chosen, config, hasChoices, only?.level, only?.externalId]);
  const question = useMemo(() => asked(view, config.locked), [view, config]);
  const mustChoose = hasChoices && view.log === null;
  const [state, setState] = useState<ListState | null>(null);
  const typing = useRef(false);
  const latest = useRef(view);
  latest.current = view;
  const takes = useRef(takesNews);
  takes.current = takesNews;

  const change = useCallback<LogContext['change']>(
    (next, how = 'step') => {
      const isCorrection = how === 'correction' || (how === 'typing' && typing.current);
      config.history.write(next, isCorrection ? 'correction' : 'step');
      typing.current = how === 'typing';
      setView(next);
    },
    [config],
  );

  const model = useMemo(
    () =>
      new LogModel({
        client: config.client,
        organization: config.organization,
        zone: config.zone,
        pageSize: config.pageSize,
        withDays: product.dateFilter !== 'NONE',
        now: () => Date.now(),
        onChange: setState,
        onStaleCursor: () => {
          const first: View = { ...latest.current, after: null, before: null };
          config.history.write(first, 'correction');
          setView(first);
        },
      }),
    [config, product.dateFilter],
  );
  useEffect(() => () => model.stop(), [model]);
  useEffect(() => {
    if (!mustChoose) model.show(question);
  }, [model, question, mustChoose]);
  useEffect(() => config.history.onReturn(setView), [config]);
  useEffect(() => {
    let failures = 0;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const wait = () => (timer = setTimeout(() => void look(), pollDelay(config.pollSeconds, failures)));
    const look = async () => {
      if (document.visibilityState === 'visible') {
        failures = (await model.checkForNew(takes.current())) ? 0 : failures + 1;
      }
      if (timer !== null) wait();
    };
    wait();
    return () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    };
  }, [model, config]);

  return { view, question, change, state, model, mustChoose };
}
