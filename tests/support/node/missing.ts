/** Says loudly that tests are left out for want of a program; where everything must run, that is an error. */
export function warnMissing(what: string, install: string): void {
  const message = `${what}: its tests DO NOT RUN. Install it: ${install}`;
  if (process.env['CI']) throw new Error(message);
  console.warn(`\n${'!'.repeat(100)}\n!! ${message}\n${'!'.repeat(100)}\n`);
}
