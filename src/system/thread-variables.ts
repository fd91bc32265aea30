/**
 * Options of Bun's JavaScript engine that keep it from starting threads later than at its start (docs/OPERATIONS.md, limits of
 * the machine). They are kleinhirn's own: it heeds them in each of its forms, and workers don't get them.
 */
export const threadVariables: readonly string[] = [
  "BUN_JSC_useConcurrentJIT",
  "BUN_JSC_useConcurrentGC",
  "BUN_JSC_numberOfGCMarkers",
];
