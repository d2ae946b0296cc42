import type { ModuleChange, Plan, PlanStep } from '../manifest/diff/plan.ts';
import { upstreamLabel } from '../manifest/upstreams.ts';

const HUB_STEPS = {
  prepare: 'see that everything is here',
  storage: 'change what is kept',
  limits: 'change the limits',
  access: 'change who may do what',
  routes: 'change the routes',
  listeners: 'change the listeners',
  upstreams: 'change the upstreams',
} as const;

/** What is noted of a change while another hub takes this one's place. */
export const LABEL_OF_RENEWAL = 'start the new hub';

const VERBS = { stop: 'stop', adjust: 'change in place', start: 'start' } as const;

/** A step in a few words, for the log. */
export function labelOf(step: PlanStep): string {
  if (!('modules' in step)) return HUB_STEPS[step.kind];
  return `${VERBS[step.kind]} ${step.modules.map(name => `"${name}"`).join(', ')}`;
}

const MARKS: Readonly<Record<ModuleChange['change'], string>> = {
  start: '+ start',
  stop: '- stop',
  restart: '~ restart',
  adjust: '~ change in place',
  keep: '= keep',
};

type Change = Pick<ModuleChange, 'change' | 'fields'>;

/** No line for what is kept. */
function lineOf(what: string, { change, fields }: Change): string[] {
  if (change === 'keep') return [];
  const why = fields.length === 0 ? '' : `: ${fields.join(', ')}`;
  return [`${MARKS[change]} ${what}${why}`];
}

/** A plan as people read it, a line each; `renews`: another hub is to carry it out. */
export function linesOf({ modules, upstreams, changedParts }: Plan, renews: boolean): string[] {
  const kept = modules.filter(({ change }) => change === 'keep').length;
  const lines = modules.flatMap(({ module, ...rest }) => lineOf(module, rest));
  if (renews) lines.push('~ replace the hub');
  for (const part of changedParts) if (part !== 'upstreams') lines.push(`~ ${HUB_STEPS[part]}`);
  lines.push(...upstreams.flatMap(({ upstream, ...rest }) => lineOf(upstreamLabel(upstream), rest)));
  if (kept > 0) lines.push(`${MARKS.keep} ${kept} module${kept === 1 ? '' : 's'}`);
  return lines;
}
