'use client';
import { LedgerlineLog } from '@ledgerline/viewer/react';
import { useState } from 'react';

export function Log({ endpoint }: { endpoint?: string }) {
  const [ready, setReady] = useState('');
  const [size, setSize] = useState(5);
  return (
    <>
      <button onClick={() => setSize(10)}>Longer</button>
      <LedgerlineLog
        className="log"
        endpoint={endpoint}
        token="e.e.e"
        renewToken={async () => (await fetch('/token')).text()}
        pageSize={size}
        columns={['time', 'actor']}
        onReady={({ detail }) => setReady(detail.product)}
      />
      <output>{ready}</output>
    </>
  );
}
