import { describe, expect, test } from 'vitest';
import { asTypedQuery } from '../src/words/query.ts';
import { markerFor, segments } from '../src/words/search.ts';

describe('what is sent while typing', () => {
  test.each([
    ['log', 'log*'],
    ['user log', 'user log*'],
    ['user ', 'user'],
    ['log*', 'log*'],
    ['"magic link"', '"magic link"'],
    ['"magic li', 'magic li*'],
    ['a "b c" "d', 'a "b c" d*'],
    ['actor:ada', 'actor:ada'],
    ['actor:ada lov', 'actor:ada lov*'],
    ['-quarter', '-quarter'],
    ['-', null],
    ['actor:"Ada Lov', 'actor:"Ada Lov'],
    ['ada@example.com', 'ada@example.com*'],
    ['grün', 'grün*'],
    ['日本', '日本*'],
    ['दिल्ली', 'दिल्ली*'],
    ['10.0.0.1', '10.0.0.1*'],
    ['(', '('],
    ['  ', null],
    ['"', null],
    ['🎉', '🎉'],
    [' * ', null],
  ])('%s: %s', (typed, sent) => expect(asTypedQuery(typed)).toBe(sent));
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
    ['1.0.10.0.0.1:443', '10.0.0.1 ', '1.0.[10].[0].[0].[1]:443'],
    ['10.1.0.0', '10.0.0.1 ', '10.1.0.0'],
    ['usr_7, usr_70', 'usr_7', '[usr]_[7], [usr]_[7]0'],
    ['Łódź STRASSE Σίσυφος', 'lodz straße σισυφοσ', '[Łódź] [STRASSE] [Σίσυφος]'],
    ['दिल्ली दिल', 'दिल ', 'दिल्ली [दिल]'],
    ['开始认证完成', '认证', '开始[认证]完成'],
    ['อ่านข่าววันนี้', 'ข่าว ', 'อ่าน[ข่าว]วันนี้'],
    ['UpdateUserPassword', 'password', 'UpdateUser[Password]'],
  ])('%s, looking for %s', (text, search, result) => expect(marked(text, search)).toBe(result));
});
