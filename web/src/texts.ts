// The languages that the viewer speaks. A further one is a file beside `texts/en.ts` and one beside `texts/later/en.ts`, of
// the same shapes, and a line for each here. A language is loaded when somebody reads it, in two steps: what the list
// says, and what its parts say when the first of them is opened.
import { loader } from './load.ts';
import { en, type Texts } from './texts/en.ts';
import type { LaterTexts } from './texts/later/en.ts';

/** What is said by the list. */
export type { Texts } from './texts/en.ts';
/** What is said by the parts that are loaded later, besides. */
export type AllTexts = Texts & LaterTexts;

const others: Record<string, () => Promise<Texts>> = {
  ar: () => import('./texts/ar.ts').then((module) => module.ar),
  de: () => import('./texts/de.ts').then((module) => module.de),
  es: () => import('./texts/es.ts').then((module) => module.es),
  fr: () => import('./texts/fr.ts').then((module) => module.fr),
  hi: () => import('./texts/hi.ts').then((module) => module.hi),
  ja: () => import('./texts/ja.ts').then((module) => module.ja),
  ko: () => import('./texts/ko.ts').then((module) => module.ko),
  pt: () => import('./texts/pt.ts').then((module) => module.pt),
  tr: () => import('./texts/tr.ts').then((module) => module.tr),
  zh: () => import('./texts/zh.ts').then((module) => module.zh),
};
const laters: Record<string, () => Promise<{ later: LaterTexts }>> = {
  en: loader(() => import('./texts/later/en.ts')),
  ar: loader(() => import('./texts/later/ar.ts')),
  de: loader(() => import('./texts/later/de.ts')),
  es: loader(() => import('./texts/later/es.ts')),
  fr: loader(() => import('./texts/later/fr.ts')),
  hi: loader(() => import('./texts/later/hi.ts')),
  ja: loader(() => import('./texts/later/ja.ts')),
  ko: loader(() => import('./texts/later/ko.ts')),
  pt: loader(() => import('./texts/later/pt.ts')),
  tr: loader(() => import('./texts/later/tr.ts')),
  zh: loader(() => import('./texts/later/zh.ts')),
};
const rightToLeft: readonly string[] = ['ar'];
const loaded = new Map<string, Texts>([['en', en]]);

/** The service's own words for kinds of actor, for products that have none. */
export const usualActorKinds: Readonly<Record<string, string>> = en.actorKinds;

export const languages: readonly string[] = ['en', ...Object.keys(others)];

/** What is spoken: the texts, and the locale of the numbers and dates beside them, which is of the same language. */
export interface Spoken {
  texts: Texts;
  locale: string;
}

/** The language that a locale is of, where it is there. Who reads traditional characters does not read simplified ones. */
function spokenLanguage(locale: string): string | null {
  const { language, script } = new Intl.Locale(locale).maximize();
  return languages.includes(language) && (language !== 'zh' || script === 'Hans') ? language : null;
}

/** The language spoken for a locale: English, whole, where the locale's own is not there. */
export const languageOf = (locale: string): string => spokenLanguage(locale) ?? 'en';

/** Which way a language is written. */
export const directionOf = (locale: string): 'ltr' | 'rtl' =>
  rightToLeft.includes(languageOf(locale)) ? 'rtl' : 'ltr';

/**
 * The locale to speak: what the page names, in English where that language is not there, so that texts, numbers and dates
 * are of one language; where it names none, the first of the reader's own languages that is there.
 */
export function localeFor(named: readonly (string | null | undefined)[], own: readonly string[]): string {
  const wish = named.map(usable).find((locale) => locale !== null);
  if (wish) return spokenLanguage(wish) === null ? 'en' : wish;
  return own.map(usable).find((locale) => locale !== null && spokenLanguage(locale) !== null) ?? 'en';
}

/** Some systems report a locale, such as `en-US@posix`, that is none. */
function usable(wish: string | null | undefined): string | null {
  try {
    return wish ? new Intl.Locale(wish).toString() : null;
  } catch {
    return null;
  }
}

/** What is spoken for a locale, where nothing is left to load for it. */
export function spokenFor(locale: string): Spoken | null {
  const texts = loaded.get(languageOf(locale));
  return texts ? { texts, locale } : null;
}

/** Loads what is spoken for a locale. Where that fails, English is better than nothing, and whole English than half. */
export async function loadSpoken(locale: string): Promise<Spoken> {
  const known = spokenFor(locale);
  if (known) return known;
  const language = languageOf(locale);
  try {
    const texts = await others[language]!();
    loaded.set(language, texts);
    return { texts, locale };
  } catch {
    return { texts: en, locale: 'en' };
  }
}

/** The texts to begin with, before anything is loaded. */
export const firstTexts: Texts = en;

const whole = new Map<Texts, AllTexts>();

/** All texts of the language that some are of, where they are at hand. */
export const wholeAtHand = (texts: Texts): AllTexts | null => whole.get(texts) ?? null;

/** Loads all texts of the language that some are of. */
export async function loadWhole(texts: Texts): Promise<AllTexts> {
  const known = whole.get(texts);
  if (known) return known;
  const [language] = [...loaded].find(([, one]) => one === texts)!;
  const { later } = await laters[language]!();
  const all = { ...texts, ...later };
  whole.set(texts, all);
  // A part inside of a part has them already.
  whole.set(all, all);
  return all;
}
