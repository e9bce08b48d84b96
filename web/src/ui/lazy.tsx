import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useLog } from './context.ts';

/** A part that is loaded when somebody first looks at it. Its place is empty until then, and says so where that fails. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  let loading: Promise<ComponentType<Props>> | null = null;
  return function Lazy(props: Props) {
    const { texts } = useLog();
    const [state, setState] = useState<'loading' | 'ready' | 'failed'>(loaded ? 'ready' : 'loading');
    useEffect(() => {
      if (state !== 'loading') return;
      // One that failed, because the network did, is asked for again by whoever looks next.
      loading ??= load().catch((error) => {
        loading = null;
        throw error;
      });
      let superseded = false;
      loading.then(
        (part) => {
          loaded = part;
          if (!superseded) setState('ready');
        },
        () => superseded || setState('failed'),
      );
      return () => {
        superseded = true;
      };
    }, [state]);
    if (state === 'failed') {
      return (
        <div class="part-failed" role="alert">
          <p>{texts.partFailed}</p>
          <button type="button" class="button" onClick={() => setState('loading')}>
            {texts.retry}
          </button>
        </div>
      );
    }
    const Part = loaded;
    return Part && <Part {...props} />;
  };
}
