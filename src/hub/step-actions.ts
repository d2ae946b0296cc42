import type { Log } from '../core/log.ts';
import type { Provisions } from '../deployment/artifacts.ts';
import type { Execute } from '../deployment/plan-executor.ts';
import type { Placed, PlanStep } from '../manifest/diff/plan.ts';
import type { Parts } from './parts.ts';
import { routingOf } from './routing.ts';
import { boundsOf } from './storage.ts';

type Action<Kind extends PlanStep['kind']> = (
  context: Context,
  step: Extract<PlanStep, { readonly kind: Kind }>,
  target: Placed,
  signal: AbortSignal,
) => Promise<void> | void;

type Context = Parts & { readonly log: Log; readonly provisions: Provisions };

const ACTIONS: { readonly [Kind in PlanStep['kind']]: Action<Kind> } = {
  prepare: ({ provisions }, _, target, signal) => provisions.prepare(target, signal),
  stop: async ({ modules }, { modules: names }) => {
    await Promise.all(names.map(modules.remove));
  },
  storage: ({ store, limits }, _, { manifest }) => {
    store.setBounds(boundsOf(manifest));
    limits.use(manifest);
  },
  limits: ({ limits }, _, { manifest }) => limits.use(manifest),
  access: ({ access, broker }, _, { manifest }) => broker.review(access.use(manifest)),
  routes: ({ routing, router, modules, broker, log }, _, { manifest }) => {
    const wanted = routingOf(manifest);
    const { refusedRoutes, routeWarnings } = wanted.status();
    // The place in a route is shown on lines of their own.
    const refusals = refusedRoutes.map(({ reason }) => `A route is refused, the others run: ${reason}`);
    for (const line of refusals.flatMap(text => text.split('\n'))) log.error(line);
    for (const line of routeWarnings.flatMap(text => text.split('\n'))) log.warn(line);
    routing.use(wanted);
    router.use(manifest.name, wanted.dispatcher);
    modules.useInputs(wanted.inputs);
    broker.rerouted();
  },
  listeners: ({ listening, broker }, _, { manifest, home }) => {
    // Before clients come in: what was pending is published through the routes, and what has expired is gone.
    broker.begin();
    return listening.use(manifest.listeners, home);
  },
  upstreams: ({ upstreams }, _, target) => upstreams.use(target),
  adjust: ({ modules }, { modules: names }, target) => modules.adjust(names, target),
  start: ({ modules }, { modules: names }, target) => modules.start(names, target),
};

/** How each kind of step is carried out. */
export function executorOf(context: Context): Execute {
  return async (step, target, signal) => {
    await perform(context, step, target, signal);
  };
}

function perform<Kind extends PlanStep['kind']>(
  context: Context,
  step: Extract<PlanStep, { readonly kind: Kind }>,
  target: Placed,
  signal: AbortSignal,
): Promise<void> | void {
  const action: Action<Kind> = ACTIONS[step.kind];
  return action(context, step, target, signal);
}
