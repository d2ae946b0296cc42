import type { Log } from '../core/log.ts';
import type { Artifacts } from '../deployment/artifacts.ts';
import type { ExecuteStep } from '../deployment/plan-executor.ts';
import type { Placed, PlanStep } from '../manifest/diff/plan.ts';
import type { Components } from './components.ts';
import { routingOf } from './routing/compiled-routes.ts';
import { boundsOf } from './storage/bounds.ts';

type Action<Kind extends PlanStep['kind']> = (
  context: Context,
  step: Extract<PlanStep, { readonly kind: Kind }>,
  target: Placed,
  signal: AbortSignal,
) => Promise<void> | void;

type Context = Components & { readonly log: Log; readonly artifacts: Artifacts };

const ACTIONS: { readonly [Kind in PlanStep['kind']]: Action<Kind> } = {
  prepare: ({ artifacts }, _, target, signal) => artifacts.fetchBundles(target, signal),
  stop: async ({ modules }, { modules: names }) => {
    await Promise.all(names.map(modules.remove));
  },
  storage: ({ store, limits }, _, { manifest }) => {
    store.setBounds(boundsOf(manifest));
    limits.use(manifest);
  },
  limits: ({ limits }, _, { manifest }) => limits.use(manifest),
  access: ({ access, broker }, _, { manifest }) => broker.accessChanged(access.use(manifest)),
  routes: ({ routing, router, modules, broker, log }, _, { manifest }) => {
    const wanted = routingOf(manifest);
    const { refusedRoutes, routeWarnings } = wanted.status();
    // A reason that shows the position in the route has several lines. Each line is logged separately.
    const refusals = refusedRoutes.map(({ reason }) => `Refused a route, the other routes run: ${reason}`);
    for (const line of refusals.flatMap(text => text.split('\n'))) log.error(line);
    for (const line of routeWarnings.flatMap(text => text.split('\n'))) log.warn(line);
    routing.use(wanted);
    router.use(manifest.name, wanted.dispatcher);
    modules.useInputs(wanted.inputs);
    broker.routesChanged();
  },
  listeners: ({ listening, broker }, _, { manifest, home }) => {
    // `begin` must be called before the listeners open. It publishes pending wills and ends expired sessions,
    // which must happen before clients connect.
    broker.begin();
    return listening.use(manifest.listeners, home);
  },
  upstreams: ({ upstreams }, _, target) => upstreams.use(target),
  adjust: ({ modules }, { modules: names }, target) => modules.adjust(names, target),
  start: ({ modules }, { modules: names }, target) => modules.start(names, target),
};

/** Creates the function that executes a step of a deployment plan. */
export function stepExecutor(context: Context): ExecuteStep {
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
