import { type Imported, importDeployment } from '../../manifest/azure/import.ts';
import type { Remark } from '../../manifest/azure/remark.ts';
import { pathOf } from '../../manifest/checks/field-path.ts';
import { checkManifest, parseManifest } from '../../manifest/read.ts';
import { planRoutes } from '../routing/route-plan.ts';

/**
 * Maximum number of invalid fields that are omitted from a deployment. A deployment with more invalid fields
 * is refused as a whole.
 */
const MAX_LEFT_OUT = 1_000;

/**
 * Converts the text of an Azure IoT Edge deployment to a valid manifest. Omits the fields and routes that the
 * manifest check refuses, and adds a remark about each. `file` is the file name in error messages. Throws
 * Failure `import.foreign` if the text is not a deployment.
 */
export function importForHub(text: string, file: string): Imported {
  const imported = importDeployment(text, file);
  const { manifest, remarks } = withoutRefused(imported);
  const { refused } = planRoutes(parseManifest(JSON.stringify(manifest), file));
  const left = Object.entries(manifest.routes ?? {}).filter(
    ([name]) => !refused.some(route => route.name === name),
  );
  return {
    manifest: { ...manifest, routes: Object.fromEntries(left) },
    remarks: [...remarks, ...refused.map(({ name, reason }) => refusalOf(name, reason))],
  };
}

/** Removes the fields that the manifest check refuses, and adds a remark about each removed field. */
function withoutRefused({ manifest, remarks }: Imported): Imported {
  const accepted = structuredClone(manifest);
  const left: Remark[] = [];
  while (left.length < MAX_LEFT_OUT) {
    const checked = checkManifest(accepted);
    const removed = 'problem' in checked ? removeAt(accepted, checked.path) : undefined;
    if (removed === undefined || !('problem' in checked)) break;
    left.push({ path: pathOf(removed), sentence: `is left out: it ${checked.problem}` });
  }
  return { manifest: accepted, remarks: [...remarks, ...left] };
}

/**
 * Removes the value at the path. If the path does not exist, removes the value at the longest existing part
 * of the path. Returns the path of the removed value.
 */
function removeAt(root: object, path: readonly unknown[]): unknown[] | undefined {
  let inner: unknown = root;
  let removed: { readonly from: object; readonly path: unknown[] } | undefined;
  for (const [depth, key] of path.entries()) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, String(key))) break;
    removed = { from: inner, path: path.slice(0, depth + 1) };
    inner = Reflect.get(inner, String(key));
  }
  const key = removed?.path.at(-1);
  if (removed === undefined) return undefined;
  if (Array.isArray(removed.from)) removed.from.splice(Number(key), 1);
  else Reflect.deleteProperty(removed.from, String(key));
  return removed.path;
}

/**
 * Returns the remark about a refused route. The remark contains the first line of the reason, without the
 * position in the route.
 */
function refusalOf(name: string, reason: string): Remark {
  const [line = ''] = reason
    .replace(`route routes.${name}, `, '')
    .replace(`routes.${name} `, 'it ')
    .split('\n');
  return {
    path: `$edgeHub.routes.${name}`,
    sentence: `is left out until it is corrected: ${line.replace(/\.$/, '')}`,
  };
}
