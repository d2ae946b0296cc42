import { pathOf } from './checks/field-path.ts';
import type { ListenerEntry, Manifest, ModuleEntry, UpstreamEntry } from './types.ts';
import { upstreamPath } from './upstreams.ts';

/** File path that is written in a manifest. */
export type NamedPath = {
  /** Path of the field, such as `modules.camera.exec[0]`. */
  readonly field: string;
  readonly path: string;
  /**
   * Kind of the file path: program, command-line argument, value of an environment variable, file to read, or
   * socket to create.
   */
  readonly kind: 'program' | 'argument' | 'variable' | 'file' | 'socket';
  /** Module to which the path belongs. Undefined for listeners and upstreams. */
  readonly module?: ModuleEntry;
};

/** Returns all file paths in a manifest, except the paths of bundles and hub binaries. */
export function namedPaths(manifest: Manifest): NamedPath[] {
  return [
    ...manifest.modules.flatMap(pathsOfModule),
    ...manifest.listeners.flatMap(pathsOfListener),
    ...manifest.upstreams.flatMap(upstream => pathsOfUpstream(manifest, upstream)),
  ];
}

function pathsOfModule(module: ModuleEntry): NamedPath[] {
  const { name, exec, health, env } = module;
  const command = (commandLine: readonly string[], ...keys: readonly string[]): NamedPath[] =>
    commandLine.map((path, index) => ({
      field: pathOf(['modules', name, ...keys, index]),
      path,
      kind: index === 0 ? 'program' : 'argument',
      module,
    }));
  const variables = Object.entries(env).map(
    ([variable, path]): NamedPath => ({
      field: pathOf(['modules', name, 'env', variable]),
      path,
      kind: 'variable',
      module,
    }),
  );
  return [...command(exec, 'exec'), ...command(health?.exec ?? [], 'health', 'exec'), ...variables];
}

function pathsOfListener(listener: ListenerEntry, index: number): NamedPath[] {
  const field = `listeners[${index}]`;
  if (listener.kind === 'unix') return [{ field: `${field}.unix`, path: listener.file, kind: 'socket' }];
  return 'tls' in listener ? pathsOfTls(field, listener.tls) : [];
}

/** Returns the file paths of one upstream. */
export function pathsOfUpstream(manifest: Manifest, { name, tls = {} }: UpstreamEntry): NamedPath[] {
  return pathsOfTls(pathOf([...upstreamPath(manifest, name), 'tls']), tls);
}

type TlsFiles = {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
  readonly crl?: string | undefined;
};

function pathsOfTls(field: string, { cert, key, ca, crl }: TlsFiles): NamedPath[] {
  return Object.entries({ cert, key, ca, crl }).flatMap(([name, path]) =>
    path === undefined ? [] : [{ field: `${field}.${name}`, path, kind: 'file' } as const],
  );
}
