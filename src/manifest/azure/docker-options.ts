import type { AddRemark } from './remark.ts';

/** Name of a module, path of its Docker options in the deployment, and the function that adds a remark. */
export type OptionContext = { readonly module: string; readonly path: string; readonly remark: AddRemark };

/** Value of a Docker option, and its path in the deployment. */
export type Option = { readonly path: string; readonly value: unknown };

/**
 * Docker options by name. The names are in lower case, because Docker ignores the case. The names of options
 * within `HostConfig` begin with `hostconfig.`.
 */
export type Options = ReadonlyMap<string, Option>;
