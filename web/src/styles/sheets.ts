import base from './base.css?inline';
import controls from './controls.css?inline';
import details from './details.css?inline';
import histogram from './histogram.css?inline';
import list from './list.css?inline';
import recent from './recent.css?inline';

let made: CSSStyleSheet[] | undefined;

/** Adopted sheets, shared by all elements of the page: no style element, so a strict policy needs no exception. */
export function sheets(): CSSStyleSheet[] {
  made ??= [base, controls, histogram, list, details, recent].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  return made;
}
