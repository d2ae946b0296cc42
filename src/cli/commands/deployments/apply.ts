import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../../core/errors.ts';
import type { AcceptedDeployment, DeploymentStatus } from '../../../deployment/deployments.ts';
import { SELF_UPDATE_LABEL } from '../../../deployment/plan-text.ts';
import { printManifest } from '../../../manifest/print.ts';
import { readManifestText } from '../../../manifest/read.ts';
import { HUB_TRIAL } from '../../../self-update/limits.ts';
import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { createProgress, type Progress } from '../../output/progress.ts';
import { APPLY } from '../../reference/deployments.ts';
import { print } from '../../system.ts';

/** Milliseconds between two requests for the progress of the deployment. */
const POLL_MS = 100;

/** Maximum milliseconds that the command waits for an unreachable hub during the deployment. */
const MAX_UNREACHABLE_MS = 30_000;

/**
 * Maximum milliseconds that the command waits for an unreachable hub while the deployment replaces the hub
 * binary.
 */
const MAX_UNREACHABLE_IN_UPDATE_MS = MAX_UNREACHABLE_MS + 1000 * (HUB_TRIAL.seconds + HUB_TRIAL.grace);

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
  if (values.json !== true) show(accepted);
  const isDone = values['dry-run'] === true || values['no-wait'] === true || accepted.unchanged;
  const outcome = isDone ? undefined : await outcomeOf(folder, accepted, values.json !== true);
  if (values.json === true) print(JSON.stringify({ ...accepted, outcome }, null, 2));
  if (outcome?.failure === undefined) {
    if (outcome !== undefined && values.json !== true) print(`${accepted.title} is healthy.`);
    return 0;
  }
  const { code, sentence } = outcome.failure;
  throw new Failure(code, `${sentence} ${whatFollowed(outcome)}`);
}

function show({ title, plan, unchanged }: AcceptedDeployment): void {
  print(`${title}${unchanged ? ': nothing to change' : ''}`);
  for (const line of plan) print(`  ${line}`);
}

type Outcome = NonNullable<DeploymentStatus['outcome']>;

function whatFollowed({ result }: Outcome): string {
  return result === 'returned'
    ? 'Rolled back to the last healthy deployment.'
    : 'There was no earlier deployment to roll back to.';
}

/**
 * Waits for the result of a deployment. Throws Failure `deployment.superseded` if another deployment replaced
 * it.
 */
async function outcomeOf(
  folder: string,
  { id, renews }: AcceptedDeployment,
  aloud: boolean,
): Promise<Outcome> {
  let printed = '';
  const bar = createProgress();
  let seen = performance.now();
  const isAway = (): boolean =>
    performance.now() - seen > (renews ? MAX_UNREACHABLE_IN_UPDATE_MS : MAX_UNREACHABLE_MS);
  while (!isAway()) {
    const status = await ask(folder, 'deployment').catch(ignoreUnreachable);
    if (status !== undefined) seen = performance.now();
    const { attempt, outcome } = status ?? {};
    if (status !== undefined && attempt === undefined && outcome?.id === id) {
      bar.end();
      return outcome;
    }
    if (status !== undefined && attempt?.target.id !== id) {
      throw new Failure('deployment.superseded', 'Another manifest replaced this one: see "skerry ps".');
    }
    const progress = attempt === undefined ? printed : progressOf(attempt);
    if (progress !== printed) bar.end();
    if (aloud && progress !== printed) print(`  ${progress}`);
    printed = progress;
    if (aloud && status?.download !== undefined) showDownload(bar, status.download);
    await pause(POLL_MS);
  }
  throw new Failure(
    'hub.unreachable',
    'The hub closed the connection and is not reachable again: see its log.',
  );
}

function showDownload(
  bar: Progress,
  { subject, bytes, of }: NonNullable<DeploymentStatus['download']>,
): void {
  bar.show(`  downloading ${subject}`, bytes, of);
}

function progressOf({ phase, step, of, label }: NonNullable<DeploymentStatus['attempt']>): string {
  if (phase === 'watching') return 'waiting until it is healthy';
  const [doing, prefix] = phase === 'returning' ? ['rolling back', 'rollback, '] : ['starting', ''];
  if (label === SELF_UPDATE_LABEL) return label;
  return of === 0 ? doing : `${prefix}step ${step} of ${of}: ${label}`;
}

/**
 * Ignores Failure `hub.unreachable`, because the hub can be restarting for a self-update. Throws all other
 * errors.
 */
function ignoreUnreachable(thrown: unknown): undefined {
  if (thrown instanceof Failure && thrown.code === 'hub.unreachable') return undefined;
  throw thrown;
}
