import { describe, expect, it } from 'vitest';
import { isPortableName, quoted, sameNameKey } from '../../../kit/runs/file-names.mjs';

describe('names of files', () => {
  const names = ['a.png', 'A b (1).png', '.hidden.png', 'é.png', 'console.png', 'com10.png', 'a'.repeat(200)];
  it.each(names)('are such everywhere: %s', (name) => expect(isPortableName(name)).toBe(true));

  it.each([
    '', '.', '..', 'a/b', 'a\\b', 'a:b.png', 'con.png', 'CON', 'Aux.tar.gz', 'nul .png', 'COM1.png', 'lpt¹.png', 'conin$',
    'a\u0000.png', 'a\n.png', 'a\u007f', 'a?.png', 'a*', 'a"', 'a<', 'a>', 'a|b', 'a.', 'a ', ' a', '\ud800.png', 'a'.repeat(201),
    'é'.repeat(101), 5, null, undefined, ['a.png'],
  ])('are not: %j', (name) => expect(isPortableName(name)).toBe(false)); // biome-ignore format: a list

  it('are the same but for case, and for how accents are written', () => {
    const pairs = { 'A.png': 'a.png', '\u00e9': 'e\u0301', STRASSE: 'straße', '\u212a': 'k' };
    for (const [a, b] of Object.entries(pairs)) expect(sameNameKey(a)).toBe(sameNameKey(b));
    expect(sameNameKey('a')).not.toBe(sameNameKey('b'));
  });

  it('are quoted on one line', () => {
    expect(quoted('a\u001b[2J\nb')).toBe("'a\\x1b[2J\\x0ab'");
    expect(quoted('-'.repeat(101))).toBe(`'${'-'.repeat(100)}…'`);
  });
});
