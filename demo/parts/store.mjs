/** What stays in this browser, by name: until the page is closed, where the browser keeps nothing. @type {Record<string, string>} */
export const store = (() => {
  try {
    return localStorage;
  } catch {
    return {};
  }
})();
