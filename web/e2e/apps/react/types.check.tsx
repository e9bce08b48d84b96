// Compiled and never run: what the package's types allow, and what they refuse.
import { LedgerlineLog as LogClass, type LedgerlineLogElement } from '@ledgerline/viewer';
import { LedgerlineLog } from '@ledgerline/viewer/react';

const log = document.createElement('ledgerline-log');
log.token = null;
log.renewToken = async () => null;
log.pageSize = 10;
log.addEventListener('ledgerline-ready', ({ detail }) => detail.product.toUpperCase());
log.addEventListener('ledgerline-hidden', (event) => event.preventDefault());
log.addEventListener('click', (event) => event.clientX);
new LogClass() satisfies LedgerlineLogElement;
// @ts-expect-error a number is meant
log.pageSize = 'many';
// @ts-expect-error there is no such property
log.pagesize = 10;
// @ts-expect-error a promise is meant
log.renewToken = () => 'token';
// @ts-expect-error there is no such detail
log.addEventListener('ledgerline-view', ({ detail }) => detail.product);

export const fits = (
  <LedgerlineLog
    className="log"
    compact
    filter="outcome=FAILURE"
    syncUrl="audit"
    theme="dark"
    onPlanRequired={({ detail }) => detail.requiredPlans.length}
    onOpen={(event) => event.preventDefault()}
    ref={(element) => void element?.token}
  />
);
// @ts-expect-error there is no such theme
export const wrong = <LedgerlineLog theme="blue" />;
// @ts-expect-error there is no such event
export const unheard = <LedgerlineLog onSomething={() => {}} />;
