// What holds the place of something that is on its way, so that nothing jumps when it comes.
import type { Texts } from '../texts.ts';

/** Holds the place of the list while the first answer is on its way; `whole` also that of all above it. */
export function Skeleton({ texts, whole }: { texts: Texts; whole?: 'page' | 'part' }) {
  return (
    <div class="log" role="status" aria-label={texts.loading}>
      {whole === 'page' && <div class="place heading" />}
      {whole && <div class="place filters" />}
      {whole && <div class="place histogram" />}
      <div class="skeleton">
        {Array.from({ length: 14 }, (_, index) => (
          <div key={index} class="bone" />
        ))}
      </div>
    </div>
  );
}

/** Holds the place of the compact list while the first answer is on its way. */
export function RecentPlace({ texts, rows }: { texts: Texts; rows: number }) {
  return (
    <div class="recent" role="status" aria-label={texts.loading}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} class="bone" />
      ))}
    </div>
  );
}

/** Of the bars, also where there are none to draw. */
export function DrawingPlace() {
  return <div class="drawing" />;
}
