// What a host may tell the element by attributes. Each has a property of the same meaning, described in types.ts.

import type { LedgerlineLogEventName } from './types.ts';

/** A `flag` is true where the attribute is there; a `list` also takes an array, and an `object` is JSON as an attribute. */
export type SettingKind = 'text' | 'number' | 'flag' | 'flag or text' | 'list' | 'object';

export const settings = {
  endpoint: 'text',
  product: 'text',
  organization: 'text',
  locale: 'text',
  timeZone: 'text',
  theme: 'text',
  pageSize: 'number',
  pollSeconds: 'number',
  standalone: 'flag',
  upgradeHref: 'text',
  redirectHref: 'text',
  syncUrl: 'flag or text',
  linkTemplate: 'text',
  resourceLinks: 'object',
  log: 'text',
  filter: 'text',
  filterLocked: 'flag',
  columns: 'list',
  compact: 'flag',
} as const satisfies Record<string, SettingKind>;

export type SettingName = keyof typeof settings;
export const settingNames = Object.keys(settings) as SettingName[];

/** What no attribute says, but for `token`, which may be either. */
export const ownProperties = ['token', 'renewToken', 'view'] as const;

export const eventNames = [
  'ledgerline-ready',
  'ledgerline-view',
  'ledgerline-open',
  'ledgerline-forbidden',
  'ledgerline-plan-required',
  'ledgerline-hidden',
  'ledgerline-expired',
  'ledgerline-organization',
  'ledgerline-token',
] as const satisfies readonly LedgerlineLogEventName[];

/** `timeZone` is the attribute `time-zone`. */
export function attributeOf(name: SettingName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The value of a property, from its attribute. */
export function readSetting(kind: SettingKind, attribute: string | null): unknown {
  switch (kind) {
    case 'flag':
      return attribute !== null;
    case 'flag or text':
      return attribute === '' ? true : attribute;
    case 'number':
      return attribute && Number.isFinite(Number(attribute)) ? Number(attribute) : null;
    case 'list':
      return attribute === null ? null : listOf(attribute);
    case 'object':
      return objectOf(attribute);
    case 'text':
      return attribute;
  }
}

/** The attribute that says what a property was set to; null for none. */
export function writeSetting(value: unknown): string | null {
  if (value === null || value === undefined || value === false) return null;
  if (value === true) return '';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The entries of a list such as `time, actor`. */
export function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((entry) => entry !== '');
}

/** The object that a text is; null where it is none. */
function objectOf(text: string | null): object | null {
  try {
    const said: unknown = JSON.parse(text ?? 'null');
    return typeof said === 'object' ? said : null;
  } catch {
    return null;
  }
}
