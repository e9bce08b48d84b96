// The tag <ledgerline-log> in JSX of React 19, which sets properties and listens to events by itself. Load it once:
// import type {} from '@ledgerline/viewer/jsx';
import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { LedgerlineLogElement } from './index.d.ts';
import type { LedgerlineLogEventMap, LedgerlineLogProperties } from './types.d.ts';

type Listeners = {
  [Name in keyof LedgerlineLogEventMap as `on${Name}`]?: (event: LedgerlineLogEventMap[Name]) => void;
};

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'ledgerline-log': DetailedHTMLProps<HTMLAttributes<LedgerlineLogElement>, LedgerlineLogElement> &
        LedgerlineLogProperties &
        Listeners;
    }
  }
}
