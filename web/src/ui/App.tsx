import { useEffect, useMemo, useState } from 'preact/hooks';
import { Fault } from '../api/fault.ts';
import { openGate, type Gate } from '../log/session.ts';
import { textsFor } from '../texts.ts';
import type { Config } from './context.ts';
import { ClosedState, FaultState, Skeleton, TokenForm } from './states.tsx';
import { OpenLog } from './OpenLog.tsx';

type Opening = { opening: true } | { fault: Fault } | Gate;

/** Finds out what the token may do, and shows the log or the reason why there is none. */
export function App({ config }: { config: Config }) {
  const texts = useMemo(() => textsFor(config.locale), [config.locale]);
  const [state, setState] = useState<Opening>({ opening: true });
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    if (!config.hasToken) return;
    const asked = new AbortController();
    setState({ opening: true });
    openGate(config.client, config.product, config.organization, asked.signal).then(
      (gate) => {
        setState(gate);
        tellHost(config, gate);
      },
      (error) => {
        if (asked.signal.aborted) return;
        const fault = error instanceof Fault ? error : new Fault('server', String(error));
        if (fault.kind === 'unauthenticated') config.emit('ledgerline-expired');
        setState({ fault });
      },
    );
    return () => asked.abort();
  }, [config, attempt]);

  const retry = () => setAttempt((count) => count + 1);
  useEffect(() => {
    if (!('fault' in state) || state.fault.kind !== 'offline') return;
    addEventListener('online', retry);
    return () => removeEventListener('online', retry);
  }, [state]);

  if (!config.hasToken) return <TokenForm texts={texts} config={config} />;
  if ('opening' in state) return <Skeleton texts={texts} whole={config.standalone ? 'page' : 'part'} />;
  if ('fault' in state) {
    const expired = state.fault.kind === 'unauthenticated' && config.standalone;
    return (
      <FaultState texts={texts} fault={state.fault} whole={config.standalone} onRetry={retry}>
        {expired && <TokenForm texts={texts} config={config} bare />}
      </FaultState>
    );
  }
  if ('closed' in state) return <ClosedState texts={texts} closed={state.closed} config={config} />;
  return <OpenLog config={config} session={state.open} texts={texts} onClosed={retry} />;
}

function tellHost(config: Config, gate: Gate): void {
  if ('open' in gate) {
    config.emit('ledgerline-ready', { product: gate.open.viewer.product.name });
    return;
  }
  const { closed } = gate;
  if (closed.reason === 'hidden') config.emit('ledgerline-hidden');
  if (closed.reason === 'plan') config.emit('ledgerline-plan-required', { requiredPlans: closed.requiredPlans });
  if (closed.reason === 'forbidden') {
    const handled = !config.emit('ledgerline-forbidden', { message: closed.message });
    if (!handled && config.redirectHref) location.assign(config.redirectHref);
  }
}
