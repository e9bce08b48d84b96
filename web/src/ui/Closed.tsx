// What stands in the place of a log that cannot be read, and the ways in.
import { useRef } from 'preact/hooks';
import type { Product } from '../api/documents.ts';
import type { SetupFault } from '../api/setup.ts';
import type { Closed } from '../log/session.ts';
import type { AllTexts } from '../texts.ts';
import { webAddress } from '../view/history.ts';
import type { Config } from './context.ts';
import { Message } from './states.tsx';

interface ClosedProps {
  texts: AllTexts;
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

/** A page of its own may be opened without a token; an embedding host never shows this form. */
export function TokenForm({ texts, config, bare }: { texts: AllTexts; config: Config; bare?: boolean }) {
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

/** Which part of the setup is wrong, and what mends it: for whoever put the element on the page. */
export function SetupText({ texts, fault }: { texts: AllTexts; fault: SetupFault }) {
  return <p>{setupText(texts, fault)}</p>;
}

function setupText(texts: AllTexts, { reason, endpoint, answer }: SetupFault): string {
  if (reason === 'endpoint') return texts.endpointText(endpoint, answer);
  const server = new URL(endpoint, location.href).origin;
  return reason === 'origin' ? texts.originText(server, location.origin) : texts.policyText(server);
}
