import type { WasmModule } from './modules';

const compiled = new Map<string, WebAssembly.Module | null>();

/**
 * Compiles a small module, synchronously and once. Null if WebAssembly SIMD is missing or forbidden. In its text, a byte is a
 * character from ( on, after a ! for each 86, which gzip makes smaller than hexadecimal digits.
 */
export function compileModule(text: string): WebAssembly.Module | null {
  let module = compiled.get(text);
  if (module === undefined) {
    const characters = text.match(/!*[^!]/g) as string[];
    const bytes = Uint8Array.from(
      characters,
      (all) => 86 * all.length - 126 + all.charCodeAt(all.length - 1),
    );
    try {
      module = new WebAssembly.Module(bytes);
      // WebKit compiles where a page's policy forbids WebAssembly, and only then refuses to instantiate: a module of nothing.
      new WebAssembly.Instance(new WebAssembly.Module(bytes.subarray(0, 8)));
    } catch {
      module = null;
    }
    compiled.set(text, module);
  }
  return module;
}

const instances = new WeakMap<WebAssembly.Memory, Map<string, unknown>>();

/** The functions of a module over a memory, instantiated once. The module must compile. */
export function exportsOf<Exports>(module: WasmModule<Exports>, memory: WebAssembly.Memory): Exports {
  const made = instances.get(memory) ?? new Map<string, unknown>();
  instances.set(memory, made);
  if (!made.has(module)) {
    const code = compileModule(module) as WebAssembly.Module;
    const { exports } = new WebAssembly.Instance(code, { env: { memory } });
    made.set(module, exports);
  }
  return made.get(module) as Exports;
}
