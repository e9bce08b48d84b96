import { defineConfig, type Plugin } from 'vite';
import { page } from './vite.config.ts';

// GraphiQL's style sheet carries its fonts as data: addresses, which the page's `font-src 'self'` refuses;
// its own fallback is the system's fonts, and the sheet shrinks from 418 to about 60 kB.
const withoutInlinedFonts: Plugin = {
  name: 'without-inlined-fonts',
  enforce: 'pre',
  transform: (code, id) => (/graphiql.*\.css/.test(id) ? code.replace(/@font-face\s*\{[^}]*\}/g, '') : undefined),
};

/** The playground, beside the viewer: whoever reads the log loads nothing of the editor, and no glue between the two. */
export default defineConfig({
  ...page,
  plugins: [withoutInlinedFonts],
  // The editor's workers are modules, as the pages are.
  worker: { format: 'es' },
  build: {
    ...page.build,
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 5000,
    rolldownOptions: {
      input: { playground: 'playground/index.html' },
      // GraphiQL's parts are marked "use client" for servers that render React; nothing here does.
      onLog: (level, log, report) => log.code === 'MODULE_LEVEL_DIRECTIVE' || report(level, log),
    },
  },
});
