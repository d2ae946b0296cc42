import type { HubStatus } from '../../../hub/status.ts';
import type { ModuleStatus } from '../../../supervisor/spec.ts';
import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { troublesOf } from '../../output/store-problems.ts';
import { bytes, oneLine, printTable, time } from '../../output/table.ts';
import { upstreamLines } from '../../output/upstream-lines.ts';
import { PS } from '../../reference/hub.ts';
import { print } from '../../system.ts';

const COLUMNS: readonly (readonly [string, (module: ModuleStatus) => string | undefined])[] = [
  ['MODULE', ({ name }) => name],
  ['STATE', ({ state }) => state],
  ['PID', ({ pid }) => pid?.toString()],
  ['UPTIME', ({ uptimeMs }) => time(uptimeMs)],
  ['RESTARTS', ({ restarts }) => String(restarts)],
  [
    'MEMORY',
    ({ pid, usage }) =>
      pid === undefined || usage.memoryBytes === undefined ? undefined : bytes(usage.memoryBytes),
  ],
  ['CPU', ({ usage }) => (usage.cpuMs === undefined ? undefined : time(usage.cpuMs))],
  ['PIDS', ({ pid, usage }) => (pid === undefined ? undefined : usage.pids?.toString())],
  ['LAST EXIT', ({ lastExit }) => lastExit && oneLine(lastExit)],
];

/** Returns the line with the deployed manifest, and the result or progress of the last deployment. */
function deploymentLine({ name, deployment }: HubStatus): string {
  const { current, healthy, attempt, outcome } = deployment;
  if (attempt !== undefined) {
    const { phase, step, of, label } = attempt;
    return phase === 'watching'
      ? `${name}: a change is watched until it is healthy`
      : `${name}: ${phase}, step ${step} of ${of}: ${label}`;
  }
  const serial = current?.serial === undefined ? '' : `, serial ${current.serial}`;
  const proven =
    current === undefined ? 'nothing is deployed' : current.id === healthy?.id ? 'healthy' : 'not proven yet';
  const failed =
    outcome?.failure === undefined ? '' : `; the last change did not work: ${outcome.failure.sentence}`;
  return `${name}${serial}: ${proven}${failed}`;
}

function colourOf(state: string): 'green' | 'yellow' | 'red' {
  if (state === 'failed' || state === 'failing') return 'red';
  return state === 'running' || state === 'ready' || state === 'ended' ? 'green' : 'yellow';
}

/** Lists the modules and the upstreams of the running hub. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(PS, args);
  const status = await ask(dataFolder(values.data), 'status');
  if (values.json) {
    print(JSON.stringify(status, null, 2));
    return 0;
  }
  print(deploymentLine(status));
  const rows = status.modules.map(module => COLUMNS.map(([, cell]) => cell(module) ?? '-'));
  const headings = COLUMNS.map(([heading]) => heading);
  const stateColour = (cell: string, column: number) =>
    headings[column] === 'STATE' ? colourOf(cell) : undefined;
  printTable(headings, rows, stateColour);
  for (const { name, notEnforced, checkFailure } of status.modules) {
    if (checkFailure !== undefined) print(`"${name}" is unhealthy: ${checkFailure}`);
    for (const setting of notEnforced) print(`not enforced for "${name}": ${setting}`);
  }
  for (const { name, pid, printedLines } of status.modules) {
    if (pid !== undefined && printedLines === 0) print(`no output yet from "${name}"`);
  }
  const { upstreams, hub, closedListeners } = status;
  for (const { address, reason } of closedListeners) print(`not listening on ${address}: ${reason}`);
  if (hub.binary !== 'base') {
    print(`hub ${hub.version}, an update in slot ${hub.binary}${hub.onTrial ? ', on trial' : ''}`);
  }
  for (const line of upstreams.flatMap(upstreamLines)) print(line);
  for (const problem of troublesOf(status.store)) print(problem);
  return 0;
}
