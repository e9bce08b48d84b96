import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useLog } from './context.ts';

/** A part that is loaded when somebody first looks at it. Its place is empty until then, and says so where that fails. */
export function lazy<Module, Props extends object>(
  load: () => Promise<Module>,
  partOf: (module: Module) => ComponentType<Props>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  let loading: Promise<Module> | null = null;
  let failed: unknown = null;
  let attempts = 0;
  const begin = () => {
    const again = addressIn(failed);
    attempts += 1;
    return again === null ? load() : (import(/* @vite-ignore */ `${again}?attempt=${attempts}`) as Promise<Module>);
  };
  return function Lazy(props: Props) {
    const { texts } = useLog();
    const [state, setState] = useState<'loading' | 'ready' | 'failed'>(loaded ? 'ready' : 'loading');
    useEffect(() => {
      if (state !== 'loading') return;
      // One that failed, because the network did, is asked for again by whoever looks next.
      loading ??= begin().catch((error) => {
        loading = null;
        failed ??= error;
        throw error;
      });
      let superseded = false;
      loading.then(
        (module) => {
          loaded = partOf(module);
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

/**
 * The address of a module that could not be had, which browsers name in their error. They remember the failure for as long
 * as the page stands, so only another address leads to another attempt. Where an import map has the module's hash, another
 * address would lead around that, so there is none.
 */
function addressIn(error: unknown): string | null {
  const address = error === null ? undefined : /https?:\/\/[^\s?]+\.js/.exec(String(error))?.[0];
  if (address === undefined) return null;
  const name = address.slice(address.lastIndexOf('/'));
  const maps = [...document.querySelectorAll('script[type=importmap]')];
  return maps.some(({ textContent }) => textContent!.includes(name)) ? null : address;
}
