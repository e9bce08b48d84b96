// Packs @ledgerline/viewer into a folder: node scripts/package.mjs FOLDER. What it packs is in dist/, by npm run build.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { manifest } from './manifest.mjs';

const web = join(import.meta.dirname, '..');
const target = resolve(process.argv[2] ?? '.');
const stage = mkdtempSync(join(tmpdir(), 'ledgerline-package-'));
try {
  cpSync(join(web, 'packages/viewer'), stage, { recursive: true });
  cpSync(join(web, 'dist/embed'), stage, { recursive: true, filter: (path) => !path.endsWith('.txt') });
  cpSync(join(web, 'src/element/types.ts'), join(stage, 'types.d.ts'));
  for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) cpSync(join(web, '..', licence), join(stage, licence));
  writeFileSync(join(stage, 'custom-elements.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
  await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    build: {
      target: 'es2022',
      outDir: stage,
      emptyOutDir: false,
      lib: { entry: join(web, 'src/react.ts'), formats: ['es'], fileName: () => 'react.js' },
      rolldownOptions: {
        external: ['react', '@ledgerline/viewer'],
        output: { minify: true },
        onLog: (level, log, report) => log.code === 'MODULE_LEVEL_DIRECTIVE' || report(level, log),
      },
    },
  });
  const { name, version } = JSON.parse(readFileSync(join(stage, 'package.json'), 'utf8'));
  const own = JSON.parse(readFileSync(join(web, 'package.json'), 'utf8')).version;
  if (version !== own) throw new Error(`packages/viewer/package.json says ${version}, and package.json ${own}`);
  mkdirSync(target, { recursive: true });
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', target], { cwd: stage });
  const [{ filename }] = JSON.parse(packed);
  console.log(`${name} ${version}: ${join(target, filename)}`);
} finally {
  rmSync(stage, { recursive: true, force: true });
}
