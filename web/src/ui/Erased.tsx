import { useLog } from './context.ts';

/** Says that a person was erased from here: in a row in the place of a value, beside it in the details. */
export function Erased({ paths }: { paths: readonly string[] }) {
  const { texts } = useLog();
  if (paths.length === 0) return null;
  return (
    <span class="cut" title={texts.erasedMeans(paths.join(', '))}>
      {texts.erased}
    </span>
  );
}

/** Those of some paths that are of a field, or below it. */
export function below(paths: readonly string[], field: string): string[] {
  return paths.filter((path) => path.split(/[.[]/, 1)[0] === field);
}
