import { type Imported, importDeployment } from '../manifest/azure/import.ts';
import type { Remark } from '../manifest/azure/remark.ts';
import { parseManifest } from '../manifest/read.ts';
import { planRoutes } from './plan.ts';

/**
 * Turns the text of a deployment of Azure IoT Edge into a manifest that runs: routes that would be refused are left out of
 * it, and told. `file` is what errors call it.
 * @throws Failure `import.foreign`
 */
export function importForHub(text: string, file: string): Imported {
  const { manifest, remarks } = importDeployment(text, file);
  const { refused } = planRoutes(parseManifest(JSON.stringify(manifest), file));
  const left = Object.entries(manifest.routes ?? {}).filter(
    ([name]) => !refused.some(route => route.name === name),
  );
  return {
    manifest: { ...manifest, routes: Object.fromEntries(left) },
    remarks: [...remarks, ...refused.map(({ name, reason }) => refusalOf(name, reason))],
  };
}

/** The place is shown on lines of their own, which a list has no room for; the route's name is in the path. */
function refusalOf(name: string, reason: string): Remark {
  const [line = ''] = reason
    .replace(`route routes.${name}, `, '')
    .replace(`routes.${name} `, 'it ')
    .split('\n');
  return {
    path: `$edgeHub.routes.${name}`,
    sentence: `is left out until it is put right: ${line.replace(/\.$/, '')}`,
  };
}
