import type { ForwardRefExoticComponent, HTMLAttributes, RefAttributes } from 'react';
import type { LedgerlineLogElement } from './index.d.ts';
import type { LedgerlineLogEventMap, LedgerlineLogProperties } from './types.d.ts';

/** `ledgerline-plan-required` is heard by `onPlanRequired`. */
type ListenerName<Event extends string> = Event extends `ledgerline-${infer Name}` ? `on${Pascal<Name>}` : never;
type Pascal<Name extends string> = Name extends `${infer Head}-${infer Rest}`
  ? `${Capitalize<Head>}${Pascal<Rest>}`
  : Capitalize<Name>;

type Listeners = {
  [Name in keyof LedgerlineLogEventMap as ListenerName<Name>]?: (event: LedgerlineLogEventMap[Name]) => void;
};

export interface LedgerlineLogProps
  extends LedgerlineLogProperties, Listeners, Omit<HTMLAttributes<LedgerlineLogElement>, keyof Listeners> {}

/** `<ledgerline-log>` as a component of React 18 or 19, rendered on a server too. */
export declare const LedgerlineLog: ForwardRefExoticComponent<LedgerlineLogProps & RefAttributes<LedgerlineLogElement>>;
