// The JSON form of tests/vectors/README.md: RFC 8785, with exact numbers.

// A string: RFC 8785 writes it as JSON.stringify does, halves of surrogate pairs among it.
export const string = (text) => JSON.stringify(text);

// An object of values that are in the form already; what is undefined writes nothing.
export function members(values) {
  const present = Object.entries(values).filter(([, value]) => value !== undefined);
  // The default order of strings in JavaScript is that of their UTF-16 code units.
  present.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${present.map(([name, value]) => `${string(name)}:${value}`).join(',')}}`;
}

// A JSON text in the form. JSON.parse checks it; the values are read here, since it loses the spelling of numbers.
export function canonical(text) {
  JSON.parse(text);
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[[\]{},:]/gs);
  let at = 0;
  const value = () => {
    const token = tokens[at++];
    if (token === '{' || token === '[') {
      const close = token === '{' ? '}' : ']';
      const found = [];
      while (tokens[at] !== close) {
        if (tokens[at] === ',') at += 1;
        const name = token === '{' ? JSON.parse(tokens[(at += 2) - 2]) : undefined;
        found.push([name, value()]);
      }
      at += 1;
      return token === '{' ? members(Object.fromEntries(found)) : `[${found.map(([, item]) => item).join(',')}]`;
    }
    if (token.startsWith('"')) return string(JSON.parse(token));
    return /^[-\d]/.test(token) ? number(token) : token;
  };
  return value();
}

// A number by its exact decimal value, laid out as Number.prototype.toString lays out a double's digits.
function number(spelled) {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE](.+))?$/.exec(spelled);
  if (exponent.replace(/^[+-]?0*/, '').length > 15) return /[1-9]/.test(whole + fraction) ? spelled : '0';
  const significant = (whole + fraction).replace(/^0+/, '');
  const digits = significant.replace(/0+$/, '');
  if (digits === '') return '0';
  const point = Number(exponent) + significant.length - fraction.length;
  if (digits.length <= point && point <= 21) return sign + digits.padEnd(point, '0');
  if (point > 0 && point <= 21) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  if (point > -6 && point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  return `${sign}${mantissa}e${point > 0 ? '+' : '-'}${Math.abs(point - 1)}`;
}
