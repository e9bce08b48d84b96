import text from './bars.css?inline';
import { fillSheet } from './sheets.ts';

fillSheet('bars', text);
