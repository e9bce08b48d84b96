import { useEffect, useState } from 'preact/hooks';
import type { TadaDocumentNode, ResultOf, VariablesOf } from '../api/graphql.ts';
import { Fault } from '../api/fault.ts';
import { useLog } from './context.ts';

/** The answer to a question of a part that was opened; asked again where the question, or `attempt`, is another. */
export function useAnswer<Document extends TadaDocumentNode<any, any, any>>(
  document: Document,
  variables: VariablesOf<Document>,
): { answer: ResultOf<Document> | Fault | null; retry: () => void } {
  const { config } = useLog();
  const [answer, setAnswer] = useState<ResultOf<Document> | Fault | null>(null);
  const [attempt, setAttempt] = useState(0);
  const key = JSON.stringify(variables);
  useEffect(() => {
    const asked = new AbortController();
    setAnswer(null);
    config.client.ask(document, variables, asked.signal).then(
      (found) => setAnswer(() => found),
      (error) => {
        if (!asked.signal.aborted) setAnswer(error instanceof Fault ? error : new Fault('server', String(error)));
      },
    );
    return () => asked.abort();
  }, [config, key, attempt]);
  return { answer, retry: () => setAttempt((count) => count + 1) };
}
