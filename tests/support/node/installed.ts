import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './root';

/** Puts both packages, as they are built, into a project as npm would install them. */
export async function installPackages(project: string): Promise<void> {
  const installed = join(project, 'node_modules', 'pixelcnn-layers');
  await mkdir(installed, { recursive: true });
  await cp(join(root, 'package.json'), join(installed, 'package.json'));
  await cp(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  await cp(join(root, 'models'), join(project, 'node_modules', 'pixelcnn-models'), { recursive: true });
}
