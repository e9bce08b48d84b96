import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** A part that is loaded when somebody first looks at it. Its place is empty until then. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  let loading: Promise<ComponentType<Props>> | null = null;
  return function Lazy(props: Props) {
    const [, setReady] = useState(loaded !== null);
    useEffect(() => {
      if (loaded) return;
      // One that failed, because the network did, is asked for again by whoever looks next.
      loading ??= load().catch((error) => {
        loading = null;
        throw error;
      });
      loading.then(
        (part) => {
          loaded = part;
          setReady(true);
        },
        () => {},
      );
    }, []);
    const Part = loaded;
    return Part && <Part {...props} />;
  };
}
