// Where an application asks its own session who is signed in.
export const dynamic = 'force-dynamic';

export const GET = () => new Response(process.env.READER_TOKEN);
