import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Segment } from '../words/search.ts';
import { loader } from '../load.ts';

/** Splits a text into what the search found and what lies between. */
export type Marker = (text: string) => readonly Segment[];

const loadWords = loader(() => import('../words/search.ts'));

/**
 * What marks the words that are looked for, loaded with the first search. Rows are right without marks too, so that a
 * failure is no fault of the page; the next text tries again.
 */
export function useMarker(search: string): Marker | null {
  const [words, setWords] = useState<Awaited<ReturnType<typeof loadWords>> | null>(null);
  useEffect(() => {
    if (words || search.trim() === '') return;
    let superseded = false;
    loadWords().then(
      (module) => superseded || setWords(module),
      () => {},
    );
    return () => {
      superseded = true;
    };
  }, [search, words]);
  return useMemo(() => {
    const marker = words?.markerFor(search) ?? null;
    return marker && ((text) => words!.segments(text, marker));
  }, [words, search]);
}
