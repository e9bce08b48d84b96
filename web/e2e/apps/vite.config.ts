// One of the applications that Vite builds: vite build --mode react, vue or svelte.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

export default defineConfig(({ mode: name }) => ({
  root: name,
  base: `/${name}/`,
  plugins: {
    react: [],
    vue: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith('ledgerline-') } } })],
    svelte: [svelte({ configFile: false })],
  }[name],
  build: { outDir: `../dist/${name}`, emptyOutDir: true },
}));
