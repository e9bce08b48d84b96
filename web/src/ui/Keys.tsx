import { useEffect, useRef } from 'preact/hooks';
import { usePart } from './context.ts';

/** Which keys do what. */
export function Keys({ onClose }: { onClose: () => void }) {
  const { texts } = usePart();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="keys" aria-label={texts.keys} onClose={onClose}>
      <h2>{texts.keys}</h2>
      <dl>
        {texts.keysText.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="button" onClick={() => dialog.current?.close()}>
        {texts.close}
      </button>
    </dialog>
  );
}
