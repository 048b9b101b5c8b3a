/** A module of WebAssembly, in hexadecimal. Its type says which functions it exports; all work on a memory they import. */
export type WasmModule<Exports> = string & { readonly exports?: Exports };

const compiled = new Map<string, WebAssembly.Module | null>();

/**
 * Compiles a module when it is first asked for; null if WebAssembly SIMD is missing or forbidden. They are small enough
 * to compile at once.
 */
export function compile(hex: string): WebAssembly.Module | null {
  let module = compiled.get(hex);
  if (module === undefined) {
    try {
      const bytes = hex.match(/../g) ?? [];
      module = new WebAssembly.Module(Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16)));
    } catch {
      module = null;
    }
    compiled.set(hex, module);
  }
  return module;
}

const instances = new WeakMap<WebAssembly.Memory, Map<string, unknown>>();

/** The functions of a module over a memory, which are made once; it must compile. */
export function exportsOf<Exports>(module: WasmModule<Exports>, memory: WebAssembly.Memory): Exports {
  const made = instances.get(memory) ?? new Map<string, unknown>();
  instances.set(memory, made);
  if (!made.has(module)) {
    const { exports } = new WebAssembly.Instance(compile(module) as WebAssembly.Module, { env: { memory } });
    made.set(module, exports);
  }
  return made.get(module) as Exports;
}
