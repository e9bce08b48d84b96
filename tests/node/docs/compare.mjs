// Whether what a page shows is what was answered: `…` stands for anything, the rest as far as it can be the same.

/** Faults of the lines that a page shows: each must have been printed, in this order. */
export function lines(shown, printed) {
  const rest = printed.split('\n');
  for (const line of shown.split('\n')) {
    if (line.trim() === '…') continue;
    const at = rest.findIndex((each) => pattern(line.trim()).test(each.trim()));
    if (at < 0) return [`"${line}" was not printed, or not there; what was:\n${printed}`];
    rest.splice(0, at + 1);
  }
  return [];
}

/**
 * Faults of a JSON answer that a page shows. Names of fields, kinds of values, truth values and codes in upper case
 * must be those of the answer; of a list that many entries as are shown.
 */
export function shape(shown, answered, path = 'answer') {
  if (Array.isArray(shown)) {
    if (!Array.isArray(answered)) return [`${path} is no list`];
    if (answered.length < shown.length) return [`${path} has ${answered.length} entries, not ${shown.length}`];
    return shown.flatMap((each, at) => shape(each, answered[at], `${path}[${at}]`));
  }
  if (shown !== null && typeof shown === 'object') {
    if (answered === null || typeof answered !== 'object') return [`${path} is ${JSON.stringify(answered)}`];
    const [wanted, found] = [Object.keys(shown), Object.keys(answered)];
    if (wanted.join() !== found.join()) return [`${path} has ${found.join(', ')}, and not ${wanted.join(', ')}`];
    return wanted.flatMap((key) => shape(shown[key], answered[key], `${path}.${key}`));
  }
  const exact = shown === null || typeof shown === 'boolean' || /^[A-Z][A-Z_]+$/.test(shown);
  const same = exact
    ? shown === answered
    : typeof shown === typeof answered &&
      (typeof shown !== 'string' || !shown.includes('…') || pattern(shown).test(answered));
  return same ? [] : [`${path} is ${JSON.stringify(answered)}, and not as ${JSON.stringify(shown)}`];
}

function pattern(text) {
  return new RegExp(
    `^${text
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
}
