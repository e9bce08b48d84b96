import { defineConfig, type UserConfig } from 'vite';

/** What the pages that the binary serves have in common. */
export const page = {
  // The pages may be shown below any path.
  base: './',
  build: {
    target: 'es2022',
    // As written: lowering light-dark() would need variables that only exist where a page sets them.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    outDir: 'dist',
    // An asset inlined as a data: address would be refused by the page's own content security policy.
    assetsInlineLimit: 0,
  },
} satisfies UserConfig;

/** What is always loaded, as one file: parts that a later one needs too would be files of their own otherwise. */
export const inOneFile = { groups: [{ name: 'first', tags: ['$initial' as const] }] };

/** The hosted page of the viewer. */
export default defineConfig({
  ...page,
  build: {
    ...page.build,
    emptyOutDir: true,
    // Its parts need nothing that the first file does not have, so there is nothing to preload.
    modulePreload: false,
    rolldownOptions: { input: { viewer: 'index.html' }, output: { codeSplitting: inOneFile } },
  },
});
