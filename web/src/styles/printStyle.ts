import text from './print.css?inline';
import { fillSheet } from './sheets.ts';

fillSheet('print', text);
