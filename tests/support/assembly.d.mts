export function compileAssembly(source: string): Promise<WebAssembly.Module>;
