import { defineConfig } from 'vite';

/** The custom element as one module under a stable name, for pages of other applications. */
export default defineConfig({
  publicDir: false,
  build: {
    target: 'es2022',
    // As written: lowering light-dark() would need variables that only exist where a page sets them.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    outDir: 'dist/embed',
    emptyOutDir: true,
    lib: { entry: 'src/element.tsx', formats: ['es'], fileName: () => 'ledgerline-log.js' },
    // Library builds keep blanks for the next bundler; nobody bundles this file again.
    rolldownOptions: { output: { minify: true } },
  },
});
