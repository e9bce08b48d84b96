import { Log } from './log';

// Rendered on the server at every request.
export default async function Page({ searchParams }: { searchParams: Promise<{ endpoint?: string }> }) {
  const { endpoint } = await searchParams;
  return (
    <>
      <h1>Next</h1>
      <Log endpoint={endpoint} />
    </>
  );
}
