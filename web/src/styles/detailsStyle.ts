import text from './details.css?inline';
import { fillSheet } from './sheets.ts';

fillSheet('details', text);
