import text from './choices.css?inline';
import { fillSheet } from './sheets.ts';

fillSheet('choices', text);
