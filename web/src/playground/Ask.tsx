import { useEffect, useRef, useState } from 'preact/hooks';
import { askServer } from './ask.ts';

export interface Question {
  /** What is about to be done, by the name of the field. */
  what: string;
  token: string;
  settle: (isAllowed: boolean) => void;
}

/** Asks before something is written into a real log. */
export function Ask({ what, token, settle }: Question) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [whose, setWhose] = useState('');
  useEffect(() => {
    dialog.current!.showModal();
    askServer({ query: '{ viewer { organization product { label } } }' }, token).then(
      ({ data }) => {
        const { organization, product } = data?.viewer ?? {};
        if (product) setWhose([organization, product.label].filter(Boolean).join(', '));
      },
      () => {},
    );
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="ask-title" onCancel={() => settle(false)}>
      <h2 id="ask-title">This changes a real log</h2>
      <p>
        <code>{what}</code> is about to be sent{whose && ` for ${whose}`}. What is recorded in an audit log cannot be
        taken back.
      </p>
      <form method="dialog">
        <button type="button" autofocus onClick={() => settle(false)}>
          Cancel
        </button>
        <button type="button" class="primary" onClick={() => settle(true)}>
          Send it
        </button>
      </form>
    </dialog>
  );
}
