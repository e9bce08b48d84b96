import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';
import { inOneFile } from './vite.config.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Writes the lines that a page needs which takes one version for good, and prints them. */
const integrity: Plugin = {
  name: 'integrity',
  generateBundle(_, bundle) {
    const lines = Object.values(bundle).flatMap((file) => {
      if (file.type !== 'chunk') return [];
      const hash = createHash('sha384').update(file.code).digest('base64');
      return [`/embed/${version}/${file.fileName} sha384-${hash}`];
    });
    const source = `${lines.join('\n')}\n`;
    this.emitFile({ type: 'asset', fileName: 'integrity.txt', source });
    process.stdout.write(source);
  },
};

/**
 * A part that could not be loaded is asked for again at an address that nothing but the page knows. Bundlers of hosts would look
 * for it, and fail: they are told to leave that import alone.
 */
const leftAlone: Plugin = {
  name: 'left-alone',
  generateBundle: {
    order: 'pre',
    handler(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== 'chunk') continue;
        const again = /\bimport\(\s*(?:\/\*[^*]*\*\/\s*)?(`[^`]*\?attempt=[^`]*`)\s*\)/g;
        file.code = file.code.replace(
          again,
          'import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ $1)',
        );
      }
    },
  },
};

/** The custom element as one module under a stable name, for pages of other applications. */
export default defineConfig({
  publicDir: false,
  plugins: [leftAlone, integrity],
  build: {
    target: 'es2022',
    // As written: lowering light-dark() would need variables that only exist where a page sets them.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    outDir: 'dist/embed',
    emptyOutDir: true,
    lib: { entry: 'src/element.tsx', formats: ['es'], fileName: () => 'ledgerline-log.js' },
    // Library builds keep blanks for the next bundler; nobody bundles this file again.
    // The entry may give its parts more than it says, so that all that is always needed is one file.
    rolldownOptions: {
      preserveEntrySignatures: 'allow-extension',
      output: {
        minify: true,
        chunkFileNames: '[name]-[hash].js',
        codeSplitting: inOneFile,
      },
    },
  },
});
