import { onTestFinished } from 'vitest';

/** What a test made, or what is in a list or object of it, is disposed of when the test ends, also where it fails. */
export function scoped<Made extends object>(made: Made): Made {
  onTestFinished(() => dispose(made));
  return made;
}

async function dispose(made: { dispose?: () => unknown }): Promise<void> {
  if (made.dispose !== undefined) await made.dispose();
  else for (const one of Object.values(made)) await dispose(one as object);
}
