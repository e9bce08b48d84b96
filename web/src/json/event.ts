import type { AuditEvent } from '../api/documents.ts';

/** The whole event as JSON, its metadata byte for byte as it was recorded. */
export function eventJson(event: AuditEvent): string {
  const { metadataText, ...rest } = event;
  // Written without the metadata, and then with its own text: reading and writing it would round its numbers.
  const lines = JSON.stringify(rest, null, 2).replace(/\n}$/, '');
  return `${lines},\n  "metadata": ${metadataText}\n}`;
}
