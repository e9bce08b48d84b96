import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { alertTargetsQuery, createAlertMutation, type AlertInput, type AlertPer } from '../api/alerts.ts';
import { Fault } from '../api/fault.ts';
import { totalQuery } from '../api/later.ts';
import { addressesOf, alertQuestion, nameOf, withoutTime } from '../view/alert.ts';
import { questionFor } from '../view/request.ts';
import { spelled } from '../words/visible.ts';
import { summaryOf } from './chosen.ts';
import { usePart, type PartContext } from './context.ts';
import { useAnswer } from './useAnswer.ts';

const windows = [60, 300, 900, 3_600, 21_600, 86_400];
const pers: readonly AlertPer[] = ['NONE', 'ACTOR', 'IP_ADDRESS'];
/** Stands for addresses among the endpoints, whose ids look otherwise. */
const byMail = '@';

type Field = 'name' | 'threshold' | 'target' | 'addresses';
interface Flaw {
  text: string;
  field: Field | null;
}

/** An alert about the events of the list, from now on: how many of them within how long, and who is told. */
export function AlertDialog({ onClose }: { onClose: () => void }) {
  const log = usePart();
  const { texts, format, config, asked, announce } = log;
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const [name, setName] = useState(() => nameOf(summaryOf(log, withoutTime(log.view)).join(', ')));
  const [threshold, setThreshold] = useState('1');
  const [seconds, setSeconds] = useState(300);
  const [per, setPer] = useState<AlertPer>('NONE');
  const [target, setTarget] = useState<string | null>(null);
  const [addresses, setAddresses] = useState('');
  const [flaw, setFlaw] = useState<Flaw | null>(null);
  const [isSending, setSending] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const close = useRef<HTMLButtonElement>(null);

  const { answer } = useAnswer(alertTargetsQuery, { organization: config.organization });
  // A product need not offer endpoints; then there is mail.
  const endpoints = answer === null || answer instanceof Fault ? [] : (answer.auditEndpoints ?? []);
  const chosen = target ?? endpoints[0]?.id ?? byMail;
  const matches = useAnswer(
    totalQuery,
    questionFor({ ...withoutTime(asked), period: 'LAST_7_DAYS' }, config.organization, config.zone, 0),
  ).answer;

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    if (made !== null) close.current?.focus();
  }, [made]);
  useEffect(() => {
    if (flaw?.field) form.current?.querySelector<HTMLElement>(`[name=${flaw.field}]`)?.focus();
  }, [flaw]);

  const send = async () => {
    if (isSending) return;
    setSending(true);
    setFlaw(null);
    const input: AlertInput = {
      organization: config.organization,
      label: name.trim(),
      question: alertQuestion(asked, config.zone),
      // What is no whole number is refused as one that is too small is.
      threshold: /^\d{1,9}$/.test(threshold.trim()) ? Number(threshold) : 0,
      windowSeconds: seconds,
      per: isSingle(threshold) ? 'NONE' : per,
      target: chosen === byMail ? { emails: addressesOf(addresses) } : { endpoint: chosen },
    };
    try {
      const { createAlertRule } = await config.client.ask(createAlertMutation, { input });
      if (!createAlertRule) throw new Fault('server', 'createAlertRule is null');
      const said = texts.alertMade(createAlertRule.rule.label);
      setMade(said);
      announce(said);
    } catch (error) {
      const fault = error instanceof Fault ? error : new Fault('server', String(error));
      setFlaw(flawOf(log, fault, addressesOf(addresses).length));
    }
    setSending(false);
  };

  const field = (key: Field) => ({
    name: key,
    'aria-invalid': flaw?.field === key,
    'aria-describedby': flaw?.field === key ? `${id}-flaw` : undefined,
  });
  const count =
    matches === null || matches instanceof Fault || !matches.auditEvents ? null : matches.auditEvents.totalCount;
  const isCounting = matches === null;
  return (
    <dialog
      ref={dialog}
      class="keys alert"
      aria-labelledby={`${id}-title`}
      onClose={onClose}
      // The panel that it stands in would close too early for the focus to find its way back.
      onKeyDown={(event) => event.stopPropagation()}
    >
      <h2 id={`${id}-title`}>{texts.alertTitle}</h2>
      {made !== null ? (
        <>
          <p role="status">{spelled(made)}</p>
          <div class="actions">
            <button ref={close} type="button" class="button primary" onClick={() => dialog.current?.close()}>
              {texts.close}
            </button>
          </div>
        </>
      ) : (
        <form
          ref={form}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            void send();
          }}
        >
          <ul class="alert-filters" role="list" aria-label={texts.activeFilters}>
            {summaryOf(log, withoutTime(log.view)).map((one) => (
              <li key={one} class="chip">
                <bdi>{spelled(one)}</bdi>
              </li>
            ))}
          </ul>
          <p class="aside" role="status">
            {isCounting
              ? texts.counting
              : count === null
                ? texts.alertNotCounted
                : texts.alertMatches(format.count(count))}{' '}
            {texts.alertFromNow}
          </p>
          <label class="field">
            <span>{texts.alertName}</span>
            <input
              type="text"
              autofocus
              value={name}
              autocomplete="off"
              dir="auto"
              onInput={(event) => setName(event.currentTarget.value)}
              {...field('name')}
            />
          </label>
          <div class="alert-when">
            <label class="field">
              <span>{texts.alertThreshold}</span>
              <input
                type="text"
                inputmode="numeric"
                autocomplete="off"
                value={threshold}
                onInput={(event) => setThreshold(event.currentTarget.value)}
                {...field('threshold')}
              />
            </label>
            {!isSingle(threshold) && (
              <>
                <label class="field">
                  <span>{texts.alertWithin}</span>
                  <select value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
                    {windows.map((one) => (
                      <option key={one} value={one}>
                        {format.duration(one * 1000)}
                      </option>
                    ))}
                  </select>
                </label>
                <label class="field">
                  <span>{texts.alertPer}</span>
                  <select value={per} onChange={(event) => setPer(event.currentTarget.value as AlertPer)}>
                    {pers.map((one) => (
                      <option key={one} value={one}>
                        {texts.alertPers[one]}
                      </option>
                    ))}
                  </select>
                </label>
              </>
            )}
          </div>
          <label class="field">
            <span>{texts.alertTarget}</span>
            <select value={chosen} onChange={(event) => setTarget(event.currentTarget.value)} {...field('target')}>
              {endpoints.map((endpoint) => (
                <option key={endpoint.id} value={endpoint.id}>
                  {spelled(endpoint.label)}
                </option>
              ))}
              <option value={byMail}>{texts.alertByMail}</option>
            </select>
          </label>
          {chosen === byMail && (
            <label class="field">
              <span>{texts.alertAddresses}</span>
              <input
                type="text"
                inputmode="email"
                value={addresses}
                autocomplete="email"
                dir="ltr"
                onInput={(event) => setAddresses(event.currentTarget.value)}
                {...field('addresses')}
              />
            </label>
          )}
          {flaw && (
            <p id={`${id}-flaw`} class="flaw" role="alert">
              {flaw.text}
            </p>
          )}
          <div class="actions">
            <button type="submit" class="button primary" aria-disabled={isSending}>
              {texts.alertMake}
            </button>
            <button type="button" class="button" onClick={() => dialog.current?.close()}>
              {texts.cancel}
            </button>
          </div>
        </form>
      )}
    </dialog>
  );
}

/** One event fires: there is nothing to count, within any time. */
const isSingle = (threshold: string): boolean => threshold.trim() === '1';

/** What is wrong, in the reader's words, and where it can be mended. */
function flawOf({ texts }: PartContext, fault: Fault, addresses: number): Flaw {
  const flaws = texts.alertFlaws;
  const at = (field: Field | null, text: string): Flaw => ({ text, field });
  if (fault.kind === 'offline') return at(null, texts.offlineTitle);
  if (fault.kind === 'busy' || fault.kind === 'unchecked') return at(null, texts.busyTitle);
  if (fault.kind === 'unauthenticated') return at(null, texts.expiredTitle);
  if (fault.isRefusal) return at(null, flaws.refused);
  switch (fault.field?.replace(/^input\./, '').replace(/\[\d+\]$/, '[]')) {
    case 'label':
      return at('name', flaws.name);
    case 'threshold':
      return at('threshold', flaws.threshold);
    case 'target.emails[]':
      return at('addresses', flaws.addresses);
    case 'target.emails':
      // It is their number that is wrong, else that there can be none.
      return addresses < 1 || addresses > 10 ? at('addresses', flaws.addresses) : at('target', flaws.mail);
    case 'target.endpoint':
      return at('target', flaws.endpoint);
    case 'rules':
      return at(null, flaws.many);
    default:
      return at(null, flaws.other);
  }
}
