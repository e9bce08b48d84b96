import { useEffect, useState } from 'preact/hooks';
import { copyText } from './clipboard.ts';
import { usePart } from './context.ts';

interface Props {
  label: string;
  class?: string;
  text: () => string;
}

/** Says on itself what came of it, for as long as one needs to read that. */
export function CopyButton({ label, class: className = 'button', text }: Props) {
  const { texts, announce } = usePart();
  const [outcome, setOutcome] = useState<string | null>(null);
  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), 2500);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => {
    const said = (await copyText(text())) ? texts.copied : texts.notCopied;
    setOutcome(said);
    announce(said);
  };
  return (
    <button type="button" class={className} onClick={() => void copy()}>
      {outcome ?? label}
    </button>
  );
}
