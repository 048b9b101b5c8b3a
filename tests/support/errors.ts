import { expect } from 'vitest';

/** For `toThrow`: an error of this class with this in its message. */
export const errorOf = (type: ErrorConstructor, message: string | RegExp): object =>
  expect.objectContaining({
    name: type.name,
    message: typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
  });
