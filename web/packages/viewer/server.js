// What a server gets that renders pages ahead: there are no elements, so nothing is defined and nothing is done.
export const LedgerlineLog = undefined;
