import type { ComponentChildren } from 'preact';
import type { Fault } from '../api/fault.ts';
import { SetupFault } from '../api/setup.ts';
import { SetupText } from './parts.ts';
import type { Texts } from '../texts.ts';

interface MessageProps {
  title: string;
  /** Null where what stands below says it. */
  text: string | null;
  tone?: 'calm' | 'alert';
  /** Nothing else is on the page, so this is its heading. */
  whole?: boolean;
  /** A line above the list, instead of a page in its place. */
  isBanner?: boolean;
  children?: ComponentChildren;
}

/** One way to say that there is nothing to list, and why. */
export function Message({ title, text, tone = 'calm', whole = false, isBanner = false, children }: MessageProps) {
  const Heading = whole ? 'h1' : 'h2';
  return (
    <section
      class={`message ${tone}${isBanner ? ' banner' : ''}`}
      part="message"
      role={tone === 'alert' ? 'alert' : undefined}
    >
      <Heading>{title}</Heading>
      {text !== null && <p>{text}</p>}
      {children}
    </section>
  );
}

interface FaultProps {
  texts: Texts;
  fault: Fault;
  whole?: boolean;
  /** Rows stand below it: it is a line above them, not in their place. */
  isBanner?: boolean;
  /** Seconds until the page tries again by itself; null where it does not. */
  retryIn?: string | null;
  /** What the product calls the plans that would do. */
  planLabels?: string;
  /** What the field that the server could not use is called here. */
  fieldLabel?: string | null;
  onRetry: () => void;
  children?: ComponentChildren;
}

/** What went wrong, in the reader's own language: the server's sentences are for developers. */
export function FaultState(props: FaultProps) {
  const { texts, fault, whole, isBanner, retryIn, onRetry, children } = props;
  const { title, text, isAlert } = faultWords(props);
  const isExpired = fault.kind === 'unauthenticated';
  return (
    <Message
      tone={isAlert ? 'alert' : 'calm'}
      {...(whole === undefined ? {} : { whole })}
      {...(isBanner === undefined ? {} : { isBanner })}
      title={title}
      text={isBanner ? `${text ?? ''} ${texts.formerRows}` : text}
    >
      {fault instanceof SetupFault && <SetupText texts={texts} fault={fault} />}
      {fault.kind === 'server' && fault.requestId && <code class="request-id">{fault.requestId}</code>}
      {isExpired ? (children ?? null) : children}
      {fault.mayPass && retryIn !== undefined && (
        // Each second of it would be read aloud.
        <p class="countdown" aria-hidden="true">
          {retryIn === null ? texts.retrying : texts.retryIn(retryIn)}
        </p>
      )}
      {fault.kind !== 'input' && !(isExpired && children) && (
        <button type="button" class="button" onClick={onRetry}>
          {texts.retry}
        </button>
      )}
    </Message>
  );
}

function faultWords({ texts, fault, planLabels = '', fieldLabel }: FaultProps) {
  const words = (title: string, text: string | null, isAlert = true) => ({ title, text, isAlert });
  switch (fault.kind) {
    case 'unauthenticated':
      return words(texts.expiredTitle, texts.expiredText, false);
    case 'forbidden':
      return words(texts.refusedTitle, texts.refusedLog, false);
    case 'missing':
      return words(texts.missingTitle, texts.missingText, false);
    case 'plan':
      return words(texts.planTitle(planLabels), texts.planText(planLabels), false);
    case 'input':
      return words(
        texts.inputTitle,
        fieldLabel ? `${texts.inputText} ${texts.inputField(fieldLabel)}` : texts.inputText,
      );
    case 'offline':
      return words(texts.offlineTitle, texts.offlineText);
    case 'setup':
      return words(texts.setupTitle, fault instanceof SetupFault ? null : fault.message);
    case 'unchecked':
      return words(texts.uncheckedTitle, texts.uncheckedText);
    case 'busy':
      return words(texts.busyTitle, texts.busyText);
    case 'server':
      return words(texts.serverTitle, fault.requestId ? texts.serverText : texts.serverTextNoId);
  }
}
