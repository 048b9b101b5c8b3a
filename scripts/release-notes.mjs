/**
 * Prints the section of CHANGELOG.md for the version in package.json, for the notes of a release.
 *
 * Usage: node scripts/release-notes.mjs
 */
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const sections = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m);
const notes = sections.find((section) => section.startsWith(`${version} (2`)); // a date, not "unreleased"
if (notes === undefined) throw new Error(`CHANGELOG.md has no section "## ${version} (date)"`);
console.log(notes.replace(/^.*/, '').trim());
