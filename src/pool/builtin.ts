type Builtins = {
  'node:os': typeof import('node:os');
  'node:worker_threads': typeof import('node:worker_threads');
};

/** A built-in module of Node, Deno or Bun, undefined in pages. Loaded in a way that bundlers do not follow. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  return globalThis.process?.getBuiltinModule?.(name);
}
