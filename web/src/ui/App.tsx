import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Fault } from '../api/fault.ts';
import { isSame, openGate, type Gate } from '../log/session.ts';
import { firstTexts, loadSpoken, spokenFor, type Spoken } from '../texts.ts';
import { createFormat } from '../time/format.ts';
import { webAddress } from '../view/history.ts';
import { withHost } from '../view/locked.ts';
import { columnsOf } from './hostColumns.ts';
import type { Config } from './context.ts';
import { OpenLog } from './OpenLog.tsx';
import { ClosedState, loadRecent, Recent, TokenForm } from './parts.ts';
import { FaultState } from './states.tsx';
import { useRetry } from './retry.ts';
import { Skeleton, RecentPlace } from './places.tsx';

type Opening = { opening: true } | { fault: Fault } | Gate;

interface Props {
  config: Config;
  hasToken: boolean;
  /** How many tokens there were: with another one, whoever it is for is asked anew. */
  tokens: number;
}

/**
 * Finds out what the token may do, and shows the log or the reason why there is none, in one language. Its name stands on the
 * whole: a voice reads it as it is spoken, and Chinese, Japanese and Korean characters have the form of their language.
 */
export function App(props: Props) {
  const { config, hasToken } = props;
  const spoken = useSpoken(config.locale);
  const locale = spoken?.locale ?? null;
  useLayoutEffect(() => {
    if (locale !== null) config.tellSpoken(locale);
  }, [config, locale]);
  useEffect(() => {
    // Beside the question what the token may do; a failure is shown where it stands.
    if (config.compact) loadRecent().catch(() => {});
  }, [config]);
  useEffect(() => {
    if (spoken && config.standalone && !hasToken) document.title = spoken.texts.title;
  }, [spoken]);
  return (
    <div class="spoken" lang={locale ?? 'en'}>
      <Opened {...props} spoken={spoken} />
    </div>
  );
}

/** What is spoken for a locale; null until it is loaded. */
function useSpoken(locale: string): Spoken | null {
  const [answer, setAnswer] = useState<{ asked: string; spoken: Spoken } | null>(null);
  const known = useMemo(() => spokenFor(locale), [locale]);
  useEffect(() => {
    if (known) return;
    let superseded = false;
    void loadSpoken(locale).then((spoken) => superseded || setAnswer({ asked: locale, spoken }));
    return () => {
      superseded = true;
    };
  }, [locale]);
  return known ?? (answer?.asked === locale ? answer.spoken : null);
}

function Opened({ config, hasToken, tokens, spoken }: Props & { spoken: Spoken | null }) {
  const texts = spoken?.texts ?? firstTexts;
  // Numbers and dates are of the language of the texts, also where the wished one could not be loaded.
  const own = useMemo(() => ({ ...config, locale: spoken?.locale ?? config.locale }), [config, spoken?.locale]);
  const [state, setState] = useState<Opening>({ opening: true });
  const [attempt, setAttempt] = useState(0);
  const opened = useRef<Config | null>(null);
  const latest = useRef(state);
  latest.current = state;

  useEffect(() => {
    // What a further attempt or another token is about stays on the screen until there is an answer.
    if (opened.current !== config || !hasToken) setState({ opening: true });
    opened.current = hasToken ? config : null;
    if (!hasToken) return;
    const asked = new AbortController();
    openGate(config.client, config.product, config.organization, asked.signal).then(
      async (gate) => {
        config.tellAccepted();
        const { title } = 'open' in gate ? gate.open.viewer.product : gate.product;
        if (config.standalone) document.title = title ?? (await loadSpoken(config.locale)).texts.title;
        // A fresh token of the same reader changes nothing on the screen.
        if (isSame(latest.current, gate)) return;
        // A page that leaves has nothing more to show.
        if (!tellHost(config, gate)) setState(gate);
      },
      (error) => {
        if (asked.signal.aborted) return;
        const fault = faultOf(error);
        if (fault.kind === 'unauthenticated') config.tellExpired();
        // Of anything else that stands in the way, the open list's own questions tell.
        else if ('open' in latest.current) return;
        setState({ fault });
      },
    );
    return () => asked.abort();
  }, [config, attempt, hasToken, tokens]);

  const retry = () => setAttempt((count) => count + 1);
  const retryIn = useRetry('fault' in state ? state.fault : null, retry);

  /** Asks once more what the token may do, because the list was refused. Whether the log is still open. */
  const askAgain = useCallback(async () => {
    try {
      const gate = await openGate(config.client, config.product, config.organization);
      if (opened.current !== config) return false;
      config.tellAccepted();
      if (!isSame(latest.current, gate) && ('open' in gate || !tellHost(config, gate))) setState(gate);
      return 'open' in gate;
    } catch (error) {
      const fault = faultOf(error);
      // Of any other fault, the list's own says more.
      if (fault.kind !== 'unauthenticated' || opened.current !== config) return true;
      config.tellExpired();
      setState({ fault });
      return false;
    }
  }, [config]);

  // Half of the page in another language would be worse than its place for a moment.
  if ((!spoken || 'opening' in state) && hasToken && config.compact) {
    return <RecentPlace texts={texts} rows={config.pageSize} />;
  }
  if (!spoken) return <Skeleton texts={texts} whole={config.standalone ? 'page' : 'part'} />;
  if (!hasToken) return <TokenForm texts={texts} config={config} />;
  if ('opening' in state) return <Skeleton texts={texts} whole={config.standalone ? 'page' : 'part'} />;
  if ('fault' in state) {
    const expired = state.fault.kind === 'unauthenticated' && config.standalone;
    return (
      <FaultState
        texts={texts}
        fault={state.fault}
        whole={config.standalone}
        retryIn={retryIn ? createFormat(own.locale, config.zone).seconds(retryIn * 1000) : null}
        onRetry={retry}
      >
        {expired && <TokenForm texts={texts} config={config} bare />}
      </FaultState>
    );
  }
  if ('closed' in state) {
    return <ClosedState texts={texts} closed={state.closed} product={state.product} config={own} />;
  }
  const session = withHost(state.open, config.locked, columnsOf(config.columns, state.open.viewer.product, texts));
  if (config.compact) return <Recent config={own} session={session} texts={texts} askGate={askAgain} />;
  const { subject, organization, product } = state.open.viewer;
  // What one reader looked at is not the next one's.
  const reader = JSON.stringify([product.name, organization, subject]);
  return <OpenLog key={reader} config={own} session={session} texts={texts} askGate={askAgain} />;
}

const faultOf = (error: unknown) => (error instanceof Fault ? error : new Fault('server', String(error)));

/** Tells the host what came of it; true where the page leads elsewhere. */
function tellHost(config: Config, gate: Gate): boolean {
  if ('open' in gate) {
    config.emit('ledgerline-ready', { product: gate.open.viewer.product.name });
    return false;
  }
  const { closed, product } = gate;
  if (closed.reason === 'hidden') config.emit('ledgerline-hidden', null);
  if (closed.reason === 'plan') config.emit('ledgerline-plan-required', { requiredPlans: closed.requiredPlans });
  if (closed.reason === 'forbidden') {
    const handled = !config.emit('ledgerline-forbidden', { message: closed.message });
    // The product's own address is for a page of ours, and for readers whom another role would let in. At /log, which is
    // the service's own name for the page, they are told the reason.
    const isLedAway = config.standalone && closed.roleLabels.length > 0 && !location.pathname.endsWith('/log');
    const ofProduct = isLedAway ? product.redirectHref : null;
    return !handled && leadElsewhere(config.redirectHref ?? ofProduct);
  }
  return false;
}

/** Leads to a web address that is not this one, and leaves no step back to here: it would only lead away again. */
function leadElsewhere(href: string | null): boolean {
  const to = webAddress(href);
  if (!to || (to.origin === location.origin && to.pathname === location.pathname)) return false;
  location.replace(to);
  return true;
}
