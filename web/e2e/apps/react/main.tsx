import '@ledgerline/viewer';
import type {} from '@ledgerline/viewer/jsx';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';

const endpoint = new URLSearchParams(location.search).get('endpoint');

function App() {
  const [ready, setReady] = useState('');
  const [size, setSize] = useState(5);
  const [isShown, setShown] = useState(true);
  return (
    <>
      <h1>React</h1>
      <button onClick={() => setSize(10)}>Longer</button>
      <button onClick={() => setShown(!isShown)}>Toggle</button>
      {isShown && (
        <ledgerline-log
          endpoint={endpoint}
          token="e.e.e"
          // Another function at every render, as people write it.
          renewToken={async () => (await fetch('/token')).text()}
          pageSize={size}
          columns={['time', 'actor']}
          onledgerline-ready={({ detail }) => setReady(detail.product)}
        />
      )}
      <output>{ready}</output>
    </>
  );
}

createRoot(document.getElementById('root')!).render(<App />);
