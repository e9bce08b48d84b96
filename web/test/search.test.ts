import { describe, expect, test } from 'vitest';
import { asTypedSearch, markerFor, segments } from '../src/words/search.ts';

describe('what is sent while typing', () => {
  test.each([
    ['log', 'log*'],
    ['user log', 'user log*'],
    ['user ', 'user'],
    ['log*', 'log*'],
    ['"magic link"', '"magic link"'],
    ['"magic li', 'magic li*'],
    ['a "b c" "d', 'a "b c"  d*'],
    ['ada@example.com', 'ada@example.com*'],
    ['grün', 'grün*'],
    ['日本', '日本*'],
    ['(', null],
    ['  ', null],
    ['"', null],
    ['🎉', null],
  ])('%s: %s', (typed, sent) => expect(asTypedSearch(typed)).toBe(sent));
});

describe('marks', () => {
  const marked = (text: string, search: string) =>
    segments(text, markerFor(search))
      .map((segment) => (segment.marked ? `[${segment.text}]` : segment.text))
      .join('');

  test.each([
    ['Created API key', 'key', 'Created API [key]'],
    ['Created API keys', 'ke', 'Created API [ke]ys'],
    ['Created API keys', 'key created', '[Created] API keys'],
    ['session.sign-in.oauth', 'sign in ', 'session.[sign]-[in].oauth'],
    ['USER_LOGIN', 'log', 'USER_[LOG]IN'],
    ['blog log', 'log', 'blog [log]'],
    ['Zoë ÅNGSTRÖM', 'ång', 'Zoë [ÅNG]STRÖM'],
    ['ﬁle', 'fi', '[ﬁle]'],
    ['a<b>c', 'b', 'a<[b]>c'],
    ['2001:db8::1', '"db8 1"', '2001:[db8]::[1]'],
    ['nothing', '', 'nothing'],
  ])('%s, looking for %s', (text, search, result) => expect(marked(text, search)).toBe(result));
});
