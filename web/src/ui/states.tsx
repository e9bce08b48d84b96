import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import type { Product } from '../api/documents.ts';
import type { Fault } from '../api/fault.ts';
import { SetupFault } from '../api/setup.ts';
import type { Closed } from '../log/session.ts';
import type { Texts } from '../texts.ts';
import { webAddress } from '../view/history.ts';
import type { Config } from './context.ts';

interface MessageProps {
  title: string;
  text: string;
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
      <p>{text}</p>
      {children}
    </section>
  );
}

/** Holds the place of the list while the first answer is on its way; `whole` also that of all above it. */
export function Skeleton({ texts, whole }: { texts: Texts; whole?: 'page' | 'part' }) {
  return (
    <div class="log" role="status" aria-label={texts.loading}>
      {whole === 'page' && <div class="place heading" />}
      {whole && <div class="place filters" />}
      {whole && <div class="place histogram" />}
      <div class="skeleton">
        {Array.from({ length: 14 }, (_, index) => (
          <div key={index} class="bone" />
        ))}
      </div>
    </div>
  );
}

interface ClosedProps {
  texts: Texts;
  closed: Closed;
  product: Product;
  config: Config;
}

export function ClosedState({ texts, closed, product, config }: ClosedProps) {
  const whole = config.standalone;
  const oneOf = (labels: readonly string[]) =>
    new Intl.ListFormat(config.locale, { type: 'disjunction' }).format(labels);
  switch (closed.reason) {
    case 'hidden':
      // A host that embeds the log shows nothing at all; a page of its own cannot be nothing.
      return config.standalone ? <Message whole title={texts.hiddenTitle} text={texts.hiddenText} /> : null;
    case 'plan': {
      const plans = oneOf(closed.planLabels);
      const upgrade = webAddress(config.upgradeHref ?? product.upgradeHref);
      return (
        <Message whole={whole} title={product.planTitle ?? texts.planTitle(plans)} text={texts.planText(plans)}>
          <p>{texts.planShows}</p>
          {upgrade && (
            <a class="button primary" href={upgrade.href}>
              {texts.upgrade}
            </a>
          )}
        </Message>
      );
    }
    case 'forbidden': {
      if (closed.cause !== 'role') {
        const text = closed.cause === 'scope' ? texts.refusedScope : texts.refusedLog;
        return <Message whole={whole} title={texts.refusedTitle} text={text} />;
      }
      return (
        <Message whole={whole} title={texts.forbiddenTitle} text={texts.forbiddenText(oneOf(closed.roleLabels))} />
      );
    }
    case 'missing':
      return <Message whole={whole} title={texts.missingTitle} text={texts.missingText} />;
    case 'organization':
      return (
        <Message whole={whole} title={texts.organizationTitle} text={texts.organizationText}>
          <OneFieldForm label={texts.organization} button={texts.signIn} onSubmit={config.chooseOrganization} />
        </Message>
      );
    case 'product':
      return (
        <Message whole={whole} tone="alert" title={texts.productTitle} text={texts.productText(closed.expected)} />
      );
  }
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
      text={isBanner ? `${text} ${texts.formerRows}` : text}
    >
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
  const words = (title: string, text: string, isAlert = true) => ({ title, text, isAlert });
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
      return words(texts.setupTitle, fault instanceof SetupFault ? setupText(texts, fault) : fault.message);
    case 'unchecked':
      return words(texts.uncheckedTitle, texts.uncheckedText);
    case 'busy':
      return words(texts.busyTitle, texts.busyText);
    case 'server':
      return words(texts.serverTitle, fault.requestId ? texts.serverText : texts.serverTextNoId);
  }
}

/** Which part of the setup is wrong, and what mends it: for whoever put the element on the page. */
function setupText(texts: Texts, { reason, endpoint, answer }: SetupFault): string {
  if (reason === 'endpoint') return texts.endpointText(endpoint, answer);
  const server = new URL(endpoint, location.href).origin;
  return reason === 'origin' ? texts.originText(server, location.origin) : texts.policyText(server);
}

/** A page of its own may be opened without a token; an embedding host never shows this form. */
export function TokenForm({ texts, config, bare }: { texts: Texts; config: Config; bare?: boolean }) {
  if (!config.standalone) return <Message title={texts.expiredTitle} text={texts.expiredText} />;
  const form = <OneFieldForm secret label={texts.token} button={texts.signIn} onSubmit={config.acceptToken} />;
  return bare ? (
    form
  ) : (
    <Message whole title={texts.signInTitle} text={texts.signInText}>
      {form}
    </Message>
  );
}

interface FormProps {
  label: string;
  button: string;
  secret?: boolean;
  onSubmit: (value: string) => void;
}

function OneFieldForm({ label, button, secret, onSubmit }: FormProps) {
  const field = useRef<HTMLInputElement>(null);
  const shared = { ref: field, autocomplete: 'off', spellcheck: false } as const;
  return (
    <form
      class="token-form"
      onSubmit={(event) => {
        event.preventDefault();
        const value = field.current!.value.trim();
        if (value) onSubmit(value);
      }}
    >
      <label class="field">
        <span>{label}</span>
        {secret ? <input type="password" {...shared} /> : <input type="text" {...shared} />}
      </label>
      <button type="submit" class="button primary">
        {button}
      </button>
    </form>
  );
}
