import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import { createOptionsOf } from './create-options.ts';
import { isNothing, objectAt, ownOf } from './document.ts';
import { shown, type Tell } from './remark.ts';

const SYSTEM = '$edgeAgent.systemModules';
const RUNTIME = '$edgeAgent.runtime';

/** Ports on which Azure's hub listens, with what takes their place. */
const PORTS: Readonly<Record<string, string>> = {
  '8883/tcp':
    'for MQTT over TLS from other devices, add { "mqtts": "0.0.0.0:8883", "cert": ..., "key": ... } to listeners',
  '443/tcp': 'for MQTT over WebSockets, add { "wss": "0.0.0.0:443", "cert": ..., "key": ... } to listeners',
  '5671/tcp': 'AMQP is not spoken: have those who come that way speak MQTT',
  '1883/tcp': 'for MQTT from other devices, add { "mqtt": "0.0.0.0:1883" } to listeners',
};

/** Tells what of the agent's own settings is not needed, or is done in another way. */
export function tellAgent(agent: JsonObject, tell: Tell): void {
  tellRuntime(objectAt(agent, 'runtime', '$edgeAgent', tell), tell);
  const system = objectAt(agent, 'systemModules', '$edgeAgent', tell);
  for (const [name, entry] of Object.entries(system)) {
    tell(`${SYSTEM}.${name}`, 'is what Skerry itself does: nothing to do');
    if (isJsonObject(entry)) tellSystemModule(`${SYSTEM}.${name}`, entry, tell);
  }
  for (const [key, value] of Object.entries(agent)) {
    if (['schemaVersion', 'runtime', 'systemModules', 'modules'].includes(key) || isNothing(value)) continue;
    const path = `$edgeAgent.${key}`;
    if (key === 'integrity' || key === 'manifestTrust')
      tell(path, 'is not carried over: sign the manifest by "skerry sign"');
    else tell(path, 'is no field that this import knows');
  }
}

function tellRuntime(runtime: JsonObject, tell: Tell): void {
  if (!isNothing(ownOf(runtime, 'type')))
    tell(`${RUNTIME}.type`, `${shown(runtime['type'])} is not needed: modules are processes of this machine`);
  const settings = objectAt(runtime, 'settings', RUNTIME, tell);
  for (const [key, value] of Object.entries(settings)) {
    const path = `${RUNTIME}.settings.${key}`;
    if (isNothing(value)) continue;
    if (key === 'registryCredentials' && isJsonObject(value))
      for (const registry of Object.keys(value))
        tell(
          `${path}.${registry}`,
          'is not carried over: there is no image to pull, so withdraw them if nobody else needs them',
        );
    else if (key === 'loggingOptions')
      tell(path, "is not needed: of a module's log at most four files of 1 MB are kept");
    else tell(path, "is Docker's: nothing to do");
  }
}

function tellSystemModule(path: string, entry: JsonObject, tell: Tell): void {
  for (const variable of Object.keys(objectAt(entry, 'env', path, tell)))
    tell(
      `${path}.env.${variable}`,
      'is a setting of that module of Azure: see docs/how-to/migrate-from-azure-iot-edge.md for what Skerry has in its place',
    );
  const options = createOptionsOf(objectAt(entry, 'settings', path, tell), `${path}.settings`, tell);
  const host = ownOf(options, 'HostConfig');
  for (const [key, value] of Object.entries(isJsonObject(host) ? host : {})) {
    const place = `${path}.settings.createOptions.HostConfig.${key}`;
    if (isNothing(value)) continue;
    if (key !== 'PortBindings' || !isJsonObject(value)) {
      tell(place, "is Docker's: nothing to do");
      continue;
    }
    for (const port of Object.keys(value)) {
      const advice = Object.hasOwn(PORTS, port) ? PORTS[port] : undefined;
      tell(
        `${place}.${port}`,
        advice ?? 'is a port that Skerry does not listen on: see docs/reference/listeners.md',
      );
    }
  }
  for (const [key, value] of Object.entries(options)) {
    if (key !== 'HostConfig' && !isNothing(value))
      tell(`${path}.settings.createOptions.${key}`, "is Docker's: nothing to do");
  }
}
