// The languages that the viewer speaks. A further one is a file beside `texts/en.ts`, of the same shape, and a line here;
// each is loaded when somebody reads it.
import { en, type Texts } from './texts/en.ts';

export type { Texts } from './texts/en.ts';

const others: Record<string, () => Promise<Texts>> = {
  de: () => import('./texts/de.ts').then((module) => module.de),
};
const loaded = new Map<string, Texts>([['en', en]]);

/** The service's own words for kinds of actor, for products that have none. */
export const usualActorKinds: Readonly<Record<string, string>> = en.actorKinds;

export const languages: readonly string[] = ['en', ...Object.keys(others)];

/** The language spoken for a locale: English where the locale's own is not there yet. */
export function languageOf(locale: string): string {
  const language = locale.split('-')[0]!.toLowerCase();
  return languages.includes(language) ? language : 'en';
}

/** The texts for a locale, as far as they are loaded: English until then. */
export function textsFor(locale: string): Texts {
  return loaded.get(languageOf(locale)) ?? en;
}

/** Loads the texts for a locale. Where that fails, English is better than nothing. */
export async function loadTexts(locale: string): Promise<Texts> {
  const language = languageOf(locale);
  const known = loaded.get(language);
  if (known) return known;
  try {
    const texts = await others[language]!();
    loaded.set(language, texts);
    return texts;
  } catch {
    return en;
  }
}

/** Whether nothing is left to load for a locale. */
export const isLoaded = (locale: string): boolean => loaded.has(languageOf(locale));
