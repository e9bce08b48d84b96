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
  children?: ComponentChildren;
}

/** One way to say that there is nothing to list, and why. */
export function Message({ title, text, tone = 'calm', whole = false, children }: MessageProps) {
  const Heading = whole ? 'h1' : 'h2';
  return (
    <section class={`message ${tone}`} role={tone === 'alert' ? 'alert' : undefined}>
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
        {Array.from({ length: 12 }, (_, index) => (
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
          {upgrade && (
            <a class="button primary" href={upgrade.href}>
              {texts.upgrade}
            </a>
          )}
        </Message>
      );
    }
    case 'forbidden': {
      const roles = oneOf(closed.roleLabels);
      // What else stands in the way, such as the scope, only the server can say.
      const text = roles ? texts.forbiddenText(roles) : (closed.message ?? texts.forbiddenText(''));
      return <Message whole={whole} title={roles ? texts.forbiddenTitle : texts.refusedTitle} text={text} />;
    }
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
  onRetry: () => void;
  children?: ComponentChildren;
}

export function FaultState({ texts, fault, whole, onRetry, children }: FaultProps) {
  const retry = (
    <button type="button" class="button" onClick={onRetry}>
      {texts.retry}
    </button>
  );
  switch (fault.kind) {
    case 'unauthenticated':
      return (
        <Message whole={whole} title={texts.expiredTitle} text={texts.expiredText}>
          {children ?? retry}
        </Message>
      );
    case 'forbidden':
    case 'missing':
      return (
        <Message whole={whole} title={texts.refusedTitle} text={fault.message || texts.forbiddenText('')}>
          {children}
          {retry}
        </Message>
      );
    case 'plan':
      return (
        <Message
          whole={whole}
          title={texts.planTitle(fault.requiredPlans.join(', '))}
          text={fault.message || texts.planText(fault.requiredPlans.join(', '))}
        >
          {retry}
        </Message>
      );
    case 'input':
      return (
        <Message tone="alert" whole={whole} title={texts.inputTitle} text={fault.message}>
          {children}
        </Message>
      );
    case 'offline':
      return (
        <Message tone="alert" whole={whole} title={texts.offlineTitle} text={texts.offlineText}>
          {retry}
        </Message>
      );
    case 'setup':
      return (
        <Message
          tone="alert"
          whole={whole}
          title={texts.setupTitle}
          text={fault instanceof SetupFault ? setupText(texts, fault) : fault.message}
        >
          {retry}
        </Message>
      );
    case 'unchecked':
      return (
        <Message tone="alert" whole={whole} title={texts.uncheckedTitle} text={texts.uncheckedText}>
          {retry}
        </Message>
      );
    case 'busy':
      return (
        <Message tone="alert" whole={whole} title={texts.busyTitle} text={texts.busyText}>
          {retry}
        </Message>
      );
    case 'server':
      return (
        <Message
          tone="alert"
          whole={whole}
          title={texts.serverTitle}
          text={fault.requestId ? texts.serverText : texts.serverTextNoId}
        >
          {fault.requestId && <code class="request-id">{fault.requestId}</code>}
          {retry}
        </Message>
      );
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
