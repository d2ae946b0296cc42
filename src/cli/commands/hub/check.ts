import { existsSync, statfsSync } from 'node:fs';
import { styleText } from 'node:util';
import { Failure, reasonOf } from '../../../core/errors.ts';
import { escapeHidden } from '../../../core/text/escape.ts';
import { lastLinesOf } from '../../../deployment/module-health.ts';
import type { CertificateStatus } from '../../../hub/control/certificate-status.ts';
import type { HubStatus } from '../../../hub/status.ts';
import type { UpstreamStatus } from '../../../hub/upstreams.ts';
import { upstreamLabel } from '../../../manifest/upstreams.ts';
import { DISK_RESERVE_BYTES } from '../../../queue/limits.ts';
import type { ModuleState, ModuleStatus } from '../../../supervisor/spec.ts';
import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { troublesOf } from '../../output/store-problems.ts';
import { bytes } from '../../output/table.ts';
import { CHECK } from '../../reference/hub.ts';
import { print, writeRaw } from '../../system.ts';

type Finding = { readonly subject: string; readonly good: boolean; readonly text: string };

/** Checks the disk and the status of the hub. Returns exit code 1 if there is a problem. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(CHECK, args);
  const folder = dataFolder(values.data);
  const findings = [...checkDisk(folder), ...(await checkHub(folder))];
  if (values.json) print(JSON.stringify(findings, null, 2));
  else for (const finding of findings) writeRaw(`${lineOf(finding)}\n`);
  return findings.every(({ good }) => good) ? 0 : 1;
}

function lineOf({ subject, good, text }: Finding): string {
  const word = styleText(good ? 'green' : 'red', good ? 'ok     ' : 'PROBLEM', { stream: process.stdout });
  const line = `${subject}: ${text}`;
  return `${word}  ${process.stdout.isTTY ? escapeHidden(line) : line}`;
}

function checkDisk(folder: string): Finding[] {
  if (!existsSync(folder)) return [{ subject: 'disk', good: true, text: `${folder} does not exist yet` }];
  try {
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const text = `${bytes(free)} free for ${folder}`;
    return [{ subject: 'disk', good: free >= DISK_RESERVE_BYTES, text }];
  } catch (thrown) {
    return [{ subject: 'disk', good: false, text: `${folder} cannot be looked at: ${reasonOf(thrown)}` }];
  }
}

async function checkHub(folder: string): Promise<Finding[]> {
  try {
    const status = await ask(folder, 'status');
    const { name, pid, hub, modules, refusedRoutes, upstreams, closedListeners } = status;
    const routes = refusedRoutes.map(route => problem(`route "${route.name}"`, route.reason));
    return [
      { subject: 'hub', good: true, text: `"${name}" runs with pid ${pid}, version ${hub.version}` },
      ...checkStore(status),
      ...modules.flatMap(checkModule),
      ...closedListeners.map(({ address, reason }) => problem(`listener ${address}`, reason)),
      ...routes,
      ...upstreams.map(checkUpstream),
      ...(await ask(folder, 'certificates')).map(checkCertificate),
    ];
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return [problem('hub', thrown.message)];
  }
}

function problem(subject: string, text: string): Finding {
  return { subject, good: false, text };
}

function checkStore({ store }: HubStatus): Finding[] {
  const problems = troublesOf(store).map(text => problem('store', text));
  const used = `${bytes(store.usedBytes)} of ${bytes(store.maxBytes)} in use, ${store.letters} dead letters`;
  return [{ subject: 'store', good: problems.length === 0, text: used }, ...problems];
}

/** Module states that count as good. `stopped` is good, because an operator can stop a module. */
const GOOD_STATES: readonly ModuleState[] = [
  'starting',
  'running',
  'ready',
  'ended',
  'stopped',
  'stopping',
  'restarting',
];

/**
 * Returns the findings about a module: its state, a failed health check, and limits that are not enforced.
 */
function checkModule(module: ModuleStatus): Finding[] {
  const { name, state, restarts, lastExit, late, notEnforced, checkFailure } = module;
  const subject = `module "${name}"`;
  const good = GOOD_STATES.includes(state) && !late;
  const after = lastExit === undefined ? '' : `, last exit: ${lastExit}`;
  const why = good ? '' : `${late ? ', not ready in time' : ''}${after}${lastLinesOf(module)}`;
  return [
    { subject, good, text: `${state}, ${restarts} restarts${why}` },
    ...(checkFailure === undefined ? [] : [problem(subject, `its last check failed: ${checkFailure}`)]),
    ...notEnforced.map(setting => problem(subject, `not enforced: ${setting}`)),
  ];
}

function checkUpstream(upstream: UpstreamStatus): Finding {
  const { name, address, state, acknowledges, pause, lastError, backlog } = upstream;
  const good = (state === 'connected' && acknowledges) || pause !== undefined;
  const error = good || lastError === undefined ? '' : `: ${lastError}`;
  const text = `${address} is ${state}${pause === undefined ? '' : ` (${pause})`}, ${backlog} messages wait${error}`;
  return { subject: upstreamLabel(name), good, text };
}

function checkCertificate({ field, file, validUntil, problem: found }: CertificateStatus): Finding {
  const good = found === undefined;
  return { subject: field, good, text: good ? `${file} is valid until ${validUntil}` : `${file} ${found}` };
}
