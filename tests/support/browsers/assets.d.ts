/** Files that Vite serves under an address of its own. */
declare module '*?url' {
  const url: string;
  export default url;
}

declare module 'pngjs' {
  type Sized = { width: number; height: number; data: Uint8Array };
  export class PNG {
    constructor(size: Omit<Sized, 'data'>);
    readonly width: number;
    readonly height: number;
    data: Buffer;
    static sync: { read(png: Uint8Array, options?: object): PNG; write(png: Sized, options?: object): Buffer };
  }
}
