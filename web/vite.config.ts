import { defineConfig, type Plugin } from 'vite';

// GraphiQL's style sheet carries its fonts as data: addresses, which the page's `font-src 'self'` refuses;
// its own fallback is the system's fonts, and the sheet shrinks from 418 to about 60 kB.
const withoutInlinedFonts: Plugin = {
  name: 'without-inlined-fonts',
  enforce: 'pre',
  transform: (code, id) => (/graphiql.*\.css/.test(id) ? code.replace(/@font-face\s*\{[^}]*\}/g, '') : undefined),
};

/** The two pages that the binary serves: the hosted viewer and the playground. */
export default defineConfig({
  // The pages may be shown below any path.
  base: './',
  plugins: [withoutInlinedFonts],
  // The editor's workers are modules, as the pages are.
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    // As written: lowering light-dark() would need variables that only exist where a page sets them.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    outDir: 'dist',
    emptyOutDir: true,
    // An asset inlined as a data: address would be refused by the page's own content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 5000,
    rolldownOptions: {
      input: { viewer: 'index.html', playground: 'playground/index.html' },
      // GraphiQL's parts are marked "use client" for servers that render React; nothing here does.
      onLog: (level, log, report) => log.code === 'MODULE_LEVEL_DIRECTIVE' || report(level, log),
    },
  },
});
