import type { Manifest } from '../../manifest/types.ts';
import type { RouteSetEntry } from '../../routes/dispatcher.ts';
import { createDispatcher } from '../../routes/dispatcher.ts';
import type { HubStatus } from '../status.ts';
import type { Input } from './route-plan.ts';
import { inputsOf, planRoutes } from './route-plan.ts';
import { warningsOf } from './route-warnings.ts';

/** Compiled routes of one manifest. */
export type Routing = {
  readonly manifest: Manifest;
  readonly dispatcher: ReturnType<typeof createDispatcher>;
  readonly routes: readonly RouteSetEntry[];
  /** Module inputs to which routes deliver messages. */
  readonly inputs: readonly Input[];
  /**
   * Inputs of modules with `io: mqtt`. Messages for a module with `io: lines` are written to its standard
   * input, even if the module also connects over MQTT.
   */
  readonly mqttInputs: readonly Input[];
  readonly status: () => Pick<HubStatus, 'routes' | 'refusedRoutes' | 'routeWarnings'>;
};

/** Compiles the routes of a manifest. An invalid route is refused and does not affect the other routes. */
export function routingOf(manifest: Manifest): Routing {
  const { routes, refused } = planRoutes(manifest);
  const dispatcher = createDispatcher(routes);
  const inputs = inputsOf(routes);
  const overMqtt = new Set(manifest.modules.filter(({ io }) => io === 'mqtt').map(({ name }) => name));
  const warnings = warningsOf(manifest, routes);
  return {
    manifest,
    dispatcher,
    routes,
    inputs,
    mqttInputs: inputs.filter(({ module }) => overMqtt.has(module)),
    status: () => {
      const counts = dispatcher.counts();
      return {
        routes: routes.map(({ name, route }) => ({
          name,
          text: route.text,
          ...(counts[name] ?? { matched: 0, unmatched: 0, undefined: 0, errors: 0 }),
        })),
        refusedRoutes: refused,
        routeWarnings: warnings,
      };
    },
  };
}
