/** Milliseconds to wait for what comes sooner or later: a machine that has other things to do may be ten times slower. */
export const PATIENCE = 60_000;
