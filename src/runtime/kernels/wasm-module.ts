import { ALPHABET, type WasmModule } from './modules';

const compiled = new Map<string, WebAssembly.Module | null>();

/** Compiles a small module, synchronously and once. Null if WebAssembly SIMD is missing or forbidden. */
export function compileModule(text: string): WebAssembly.Module | null {
  let module = compiled.get(text);
  if (module === undefined) {
    try {
      module = new WebAssembly.Module(bytesOf(text));
    } catch {
      module = null;
    }
    compiled.set(text, module);
  }
  return module;
}

/**
 * Decodes bytes from the characters that scripts/build-kernels.mjs writes: the {@link ALPHABET} has a character for each of
 * the most frequent bytes, at its position, and spaces for the others. Behind them are two characters that select a half
 * of the others, of which the next character then selects one.
 */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const singles = ALPHABET.slice(0, 256).replaceAll(' ', '');
  const others = [...new Array(256).keys()].filter((byte) => ALPHABET[byte] === ' ');
  const bytes: number[] = [];
  let half = -1;
  for (const character of text) {
    const place = ALPHABET.indexOf(character);
    if (place >= 256) half = place - 256;
    else {
      const other = half * singles.length + singles.indexOf(character);
      bytes.push(half < 0 ? place : (others[other] as number));
      half = -1;
    }
  }
  return Uint8Array.from(bytes);
}

const instances = new WeakMap<WebAssembly.Memory, Map<string, unknown>>();

/** The functions of a module over a memory, instantiated once. The module must compile. */
export function exportsOf<Exports>(module: WasmModule<Exports>, memory: WebAssembly.Memory): Exports {
  const made = instances.get(memory) ?? new Map<string, unknown>();
  instances.set(memory, made);
  if (!made.has(module)) {
    const { exports } = new WebAssembly.Instance(compileModule(module) as WebAssembly.Module, {
      env: { memory },
    });
    made.set(module, exports);
  }
  return made.get(module) as Exports;
}
