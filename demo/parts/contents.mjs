/**
 * Marks in the table of contents the section that is being read: the last one that begins above the middle of the window.
 *
 * @param {HTMLElement} nav with links to sections
 */
export function followContents(nav) {
  const links = [...nav.querySelectorAll('a[href^="#"]')];
  const sections = links.map(({ hash }) => document.getElementById(hash.slice(1)));
  let isAsked = false;

  function mark() {
    isAsked = false;
    const line = innerHeight / 2;
    const isAtEnd = scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    const found = sections.findLastIndex((section) => section.getBoundingClientRect().top <= line);
    const present = isAtEnd ? links.length - 1 : Math.max(0, found);
    if (links[present].hasAttribute('aria-current')) return;
    for (const link of links) link.removeAttribute('aria-current');
    links[present].setAttribute('aria-current', 'true');
    reveal(links[present]);
  }

  /** On phones the table is a row that scrolls sideways. The page itself must not move. */
  function reveal(link) {
    const list = link.closest('ol');
    const left = link.offsetLeft - list.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
    list.scrollTo({ left });
  }

  function ask() {
    if (!isAsked) requestAnimationFrame(mark);
    isAsked = true;
  }

  for (const link of links) {
    link.addEventListener('click', () => reveal(link));
    link.addEventListener('focus', () => link.matches(':focus-visible') && reveal(link)); // else a press would move it away
  }
  addEventListener('scroll', ask, { passive: true });
  new ResizeObserver(ask).observe(document.documentElement); // also as panels grow
}
