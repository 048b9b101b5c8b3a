/** Files that Vite serves under an address of its own. */
declare module '*?url' {
  const url: string;
  export default url;
}

declare module 'pngjs' {
  export class PNG {
    constructor(size: { width: number; height: number });
    width: number;
    height: number;
    data: Buffer;
    static sync: {
      read(png: Uint8Array, options?: { skipRescale?: boolean }): PNG;
      write(
        png: { width: number; height: number; data: Uint8Array },
        options?: { colorType?: number; inputColorType?: number; bitDepth?: number },
      ): Buffer;
    };
  }
}
