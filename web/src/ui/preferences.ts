import { useState } from 'preact/hooks';

const key = 'ledgerline.viewer';

/** How somebody likes their lists, kept by their browser. */
export interface Preferences {
  compact: boolean;
  /** Columns that are not shown, by product. */
  hidden: Readonly<Record<string, readonly string[]>>;
}

const usual: Preferences = { compact: false, hidden: {} };

function read(): Preferences {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Preferences>;
    return { ...usual, ...kept };
  } catch {
    // A browser may keep nothing, or something else under that name.
    return usual;
  }
}

export function usePreferences(): [Preferences, (change: Partial<Preferences>) => void] {
  const [preferences, setPreferences] = useState(read);
  const change = (changed: Partial<Preferences>) => {
    const next = { ...preferences, ...changed };
    setPreferences(next);
    try {
      localStorage.setItem(key, JSON.stringify(next));
    } catch {
      // Then it lasts as long as the page.
    }
  };
  return [preferences, change];
}
