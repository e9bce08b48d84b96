import base from './base.css?inline';
import controls from './controls.css?inline';
import details from './details.css?inline';
import histogram from './histogram.css?inline';
import list from './list.css?inline';
import media from './media.css?inline';
import panels from './panels.css?inline';
import recent from './recent.css?inline';
import states from './states.css?inline';
import twoLines from './two-lines.css?inline';

let made: CSSStyleSheet[] | undefined;

/** Adopted sheets, shared by all elements of the page: no style element, so a strict policy needs no exception. */
export function sheets(): CSSStyleSheet[] {
  made ??= [base, states, controls, panels, histogram, list, twoLines, details, recent, media].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  return made;
}
