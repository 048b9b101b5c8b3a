import { expect, vi } from 'vitest';

/** Does what must warn on the console, once, with a message that contains this. */
export async function expectWarning<T>(message: string, work: () => Promise<T>): Promise<T> {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  try {
    const result = await work();
    expect(warn.mock.calls).toEqual([[expect.stringContaining(message)]]);
    return result;
  } finally {
    warn.mockRestore();
  }
}
