import base from './base.css?inline';
import controls from './controls.css?inline';
import histogram from './histogram.css?inline';
import list from './list.css?inline';
import media from './media.css?inline';
import panels from './panels.css?inline';
import recent from './recent.css?inline';
import states from './states.css?inline';
import twoLines from './two-lines.css?inline';

/** In the order in which they count. The empty ones come with a part that is loaded later, and have their place from the start. */
const texts = {
  base,
  states,
  controls,
  panels,
  choices: '',
  histogram,
  bars: '',
  list,
  twoLines,
  details: '',
  recent,
  media,
  print: '',
};
type Name = keyof typeof texts;

let made: Map<Name, CSSStyleSheet> | undefined;

/** Adopted sheets, shared by all elements of the page: no style element, so a strict policy needs no exception. */
export function sheets(): CSSStyleSheet[] {
  made ??= new Map(
    (Object.keys(texts) as Name[]).map((name) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(texts[name]);
      return [name, sheet];
    }),
  );
  return [...made.values()];
}

/** Fills the sheet of a part, in all elements at once, before the part is shown for the first time. */
export function fillSheet(name: Name, text: string): void {
  sheets();
  made!.get(name)!.replaceSync(text);
}
