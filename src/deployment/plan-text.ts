import type { ModuleChange, Plan, PlanStep } from '../manifest/diff/plan.ts';
import { upstreamLabel } from '../manifest/upstreams.ts';

const HUB_STEPS = {
  prepare: 'fetch missing files',
  storage: 'change the bounds of stored messages',
  limits: 'change the limits',
  access: 'change the access rules',
  routes: 'change the routes',
  listeners: 'change the listeners',
  upstreams: 'change the upstreams',
} as const;

/** Label of the step that replaces the hub binary. */
export const SELF_UPDATE_LABEL = 'start the new hub';

const VERBS = { stop: 'stop', adjust: 'change in place', start: 'start' } as const;

/** Returns a short description of a step for logs. */
export function stepLabel(step: PlanStep): string {
  if (!('modules' in step)) return HUB_STEPS[step.kind];
  return `${VERBS[step.kind]} ${step.modules.map(name => `"${name}"`).join(', ')}`;
}

const CHANGE_LABELS: Readonly<Record<ModuleChange['change'], string>> = {
  start: '+ start',
  stop: '- stop',
  restart: '~ restart',
  adjust: '~ change in place',
  keep: '= keep',
};

type Change = Pick<ModuleChange, 'change' | 'fields'>;

/** Returns a line that describes the change of a module or upstream. Returns no line if nothing changes. */
function changeLines(name: string, { change, fields }: Change): string[] {
  if (change === 'keep') return [];
  const why = fields.length === 0 ? '' : `: ${fields.join(', ')}`;
  return [`${CHANGE_LABELS[change]} ${name}${why}`];
}

/**
 * Returns the description of a plan with one line per change. `renews` adds a line about a new hub binary.
 */
export function planLines({ modules, upstreams, changedParts }: Plan, renews: boolean): string[] {
  const kept = modules.filter(({ change }) => change === 'keep').length;
  const lines = modules.flatMap(({ module, ...change }) => changeLines(module, change));
  if (renews) lines.push('~ replace the hub binary');
  for (const part of changedParts) if (part !== 'upstreams') lines.push(`~ ${HUB_STEPS[part]}`);
  lines.push(...upstreams.flatMap(({ upstream, ...change }) => changeLines(upstreamLabel(upstream), change)));
  if (kept > 0) lines.push(`${CHANGE_LABELS.keep} ${kept} module${kept === 1 ? '' : 's'}`);
  return lines;
}
