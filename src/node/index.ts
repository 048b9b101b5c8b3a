export { fileSystem } from './file-system';
