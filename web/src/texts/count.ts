// How texts count. Languages have up to six forms of a noun; which of them goes with a number, the browser knows.

/** A number, and how it is written. */
export interface Count {
  readonly value: number;
  readonly text: string;
}

/**
 * Writes a number and the form of the words that goes with it, in the place of `#`. `forms` are those of the language, so that
 * the compiler asks for each of them; a browser that knows another one, because it is older or newer, gets `other`.
 */
export function counting<Form extends Intl.LDMLPluralRule>(language: string, forms: readonly Form[]) {
  const rules = new Intl.PluralRules(language);
  return ({ value, text }: Count, words: Record<Form | 'other', string>): string => {
    const form = rules.select(value);
    const chosen = forms.find((one) => one === form) ?? 'other';
    return words[chosen].replace('#', () => text);
  };
}
