import { resolve } from 'node:path';
import type { AcceptedDeployment, DeploymentStatus } from '../../../deployment/deployments.ts';
import { SELF_UPDATE_LABEL } from '../../../deployment/plan-text.ts';
import { printManifest } from '../../../manifest/print.ts';
import { readManifestText } from '../../../manifest/read.ts';
import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { createProgress } from '../../output/progress.ts';
import { APPLY } from '../../reference/deployments.ts';
import { print } from '../../system.ts';
import { type Outcome, outcomeOf, throwIfFailed } from './outcome.ts';

/**
 * Applies a manifest to the running hub, prints the changes, and waits until the deployment is healthy or
 * rolled back.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(APPLY, args);
  const [file = ''] = positionals;
  if (values.print === true) {
    print(printManifest(readManifestText(file), file));
    return 0;
  }
  const folder = dataFolder(values.data);
  const command = values['dry-run'] === true ? 'apply preview' : 'apply';
  const accepted = await ask(folder, command, resolve(file));
  const isReadable = values.json !== true;
  if (isReadable) showPlan(accepted);
  const isDone = values['dry-run'] === true || values['no-wait'] === true || accepted.unchanged;
  const outcome = isDone ? undefined : await waitFor(folder, accepted, isReadable);
  if (!isReadable) print(JSON.stringify({ ...accepted, outcome }, null, 2));
  if (outcome !== undefined) throwIfFailed(outcome);
  if (outcome !== undefined && isReadable) print(`${accepted.title} is healthy.`);
  return 0;
}

function showPlan({ title, plan, unchanged }: AcceptedDeployment): void {
  print(`${title}${unchanged ? ': nothing to change' : ''}`);
  for (const line of plan) print(`  ${line}`);
}

/**
 * Waits for the result of a deployment. If `isReadable`, prints each step once, and a bar during a download.
 */
async function waitFor(folder: string, accepted: AcceptedDeployment, isReadable: boolean): Promise<Outcome> {
  let printed = '';
  const bar = createProgress();
  const show = ({ attempt, download }: DeploymentStatus): void => {
    const progress = attempt === undefined ? printed : progressOf(attempt);
    if (progress !== printed) {
      bar.end();
      print(`  ${progress}`);
    }
    printed = progress;
    if (download !== undefined) bar.show(`  downloading ${download.subject}`, download.bytes, download.of);
  };
  try {
    return await outcomeOf(folder, accepted, isReadable ? show : () => {});
  } finally {
    bar.end();
  }
}

function progressOf({ phase, step, of, label }: NonNullable<DeploymentStatus['attempt']>): string {
  if (phase === 'watching') return 'waiting until it is healthy';
  const [doing, prefix] = phase === 'returning' ? ['rolling back', 'rollback, '] : ['starting', ''];
  if (label === SELF_UPDATE_LABEL) return label;
  return of === 0 ? doing : `${prefix}step ${step} of ${of}: ${label}`;
}
