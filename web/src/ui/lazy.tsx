import type { ComponentType } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { loadWhole, wholeAtHand, type Texts } from '../texts.ts';
import { Log, useLog, type LogContext } from './context.ts';

/** What a part is given: of the texts, those of the list. */
type Given<Props> = { [Key in keyof Props]: Key extends 'texts' ? Texts : Props[Key] };

interface Options<Props> {
  /** What stands in its place until it is there. */
  Place?: ComponentType<Given<Props>>;
  /** The styles that it has. */
  styles?: readonly (() => Promise<unknown>)[];
  /** It says nothing that the list does not say, so that no texts are loaded for it. */
  isOfList?: boolean;
}

/**
 * A part that is loaded when somebody first looks at it, with the texts that it says. Where that fails, its place says so.
 * Outside of an open log the texts are one of its properties.
 */
export function lazy<Module, Props extends object>(
  load: () => Promise<Module>,
  partOf: (module: Module) => ComponentType<Props>,
  { Place, styles = [], isOfList = false }: Options<Props> = {},
): ComponentType<Given<Props>> {
  let loaded: ComponentType<Props> | null = null;
  return function Lazy(props: Given<Props>) {
    const log: LogContext | null = useLog();
    const { texts } = log ?? (props as { texts: Texts });
    const [isFailed, setFailed] = useState(false);
    const [, redraw] = useState(0);
    const said = isOfList ? texts : wholeAtHand(texts);
    const isReady = loaded !== null && said !== null;
    const context = useMemo(() => (log && said ? { ...log, texts: said } : null), [log, said]);
    useEffect(() => {
      if (isReady || isFailed) return;
      let superseded = false;
      Promise.all([load(), isOfList || loadWhole(texts), ...styles.map((style) => style())]).then(
        ([module]) => {
          loaded = partOf(module);
          if (!superseded) redraw((count) => count + 1);
        },
        () => superseded || setFailed(true),
      );
      return () => {
        superseded = true;
      };
    }, [isReady, isFailed, texts]);
    if (isFailed) {
      return (
        <div class="part-failed" role="alert">
          <p>{texts.partFailed}</p>
          <button type="button" class="button" onClick={() => setFailed(false)}>
            {texts.retry}
          </button>
        </div>
      );
    }
    if (!loaded || !said) return Place ? <Place {...props} /> : null;
    const Part = loaded;
    const whole = props as unknown as Props;
    return context ? (
      <Log.Provider value={context}>
        <Part {...whole} />
      </Log.Provider>
    ) : (
      <Part {...whole} texts={said} />
    );
  };
}
