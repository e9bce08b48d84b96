// Links of the pages, checked without a network: files, headings, and addresses of files in this repository on GitHub.
import { fileURLToPath } from 'node:url';
import remarkGfm from 'remark-gfm';
import remarkValidateLinks from 'remark-validate-links';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export default {
  plugins: [remarkGfm, [remarkValidateLinks, { repository: 'https://github.com/ledgerline/ledgerline', root }]],
};
