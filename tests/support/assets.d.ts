/** Files that Vite serves under an address of its own. */
declare module '*?url' {
  const url: string;
  export default url;
}
