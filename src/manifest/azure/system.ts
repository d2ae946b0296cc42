import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import { createOptionsOf } from './create-options.ts';
import { isEmpty, objectAt, ownOf } from './document.ts';
import { type AddRemark, shown } from './remark.ts';

const SYSTEM = '$edgeAgent.systemModules';
const RUNTIME = '$edgeAgent.runtime';

/** Remarks about the ports of the Azure IoT Edge hub, by port. */
const PORTS: Readonly<Record<string, string>> = {
  '8883/tcp':
    'for MQTT over TLS from other devices, add { "mqtts": "0.0.0.0:8883", "cert": ..., "key": ... } to listeners',
  '443/tcp': 'for MQTT over WebSockets, add { "wss": "0.0.0.0:443", "cert": ..., "key": ... } to listeners',
  '5671/tcp': 'AMQP is not supported: connect these clients over MQTT',
  '1883/tcp': 'for MQTT from other devices, add { "mqtt": "0.0.0.0:1883" } to listeners',
};

/** Adds remarks about settings of the agent that are not converted. */
export function remarkAgent(agent: JsonObject, remark: AddRemark): void {
  remarkRuntime(objectAt(agent, 'runtime', '$edgeAgent', remark), remark);
  const system = objectAt(agent, 'systemModules', '$edgeAgent', remark);
  for (const [name, entry] of Object.entries(system)) {
    remark(`${SYSTEM}.${name}`, 'is built into Skerry: nothing to do');
    if (isJsonObject(entry)) remarkSystemModule(`${SYSTEM}.${name}`, entry, remark);
  }
  for (const [key, value] of Object.entries(agent)) {
    if (['schemaVersion', 'runtime', 'systemModules', 'modules'].includes(key) || isEmpty(value)) continue;
    const path = `$edgeAgent.${key}`;
    if (key === 'integrity' || key === 'manifestTrust')
      remark(path, 'is not converted: sign the manifest with "skerry sign"');
    else remark(path, 'is an unknown field');
  }
}

function remarkRuntime(runtime: JsonObject, remark: AddRemark): void {
  if (!isEmpty(ownOf(runtime, 'type')))
    remark(`${RUNTIME}.type`, `${shown(runtime['type'])} is not needed: modules run as native processes`);
  const settings = objectAt(runtime, 'settings', RUNTIME, remark);
  for (const [key, value] of Object.entries(settings)) {
    const path = `${RUNTIME}.settings.${key}`;
    if (isEmpty(value)) continue;
    if (key === 'registryCredentials' && isJsonObject(value))
      for (const registry of Object.keys(value))
        remark(
          `${path}.${registry}`,
          'is not converted: Skerry pulls no images; revoke the credentials if nothing else uses them',
        );
    else if (key === 'loggingOptions')
      remark(path, 'is not needed: the log of a module is limited to four files of 1 MB');
    else remark(path, 'is a setting of Docker: nothing to do');
  }
}

function remarkSystemModule(path: string, entry: JsonObject, remark: AddRemark): void {
  for (const variable of Object.keys(objectAt(entry, 'env', path, remark)))
    remark(
      `${path}.env.${variable}`,
      'is a setting of an Azure module: docs/how-to/migrate-from-azure-iot-edge.md lists the equivalents',
    );
  const options = createOptionsOf(objectAt(entry, 'settings', path, remark), `${path}.settings`, remark);
  const host = ownOf(options, 'HostConfig');
  for (const [key, value] of Object.entries(isJsonObject(host) ? host : {})) {
    const optionPath = `${path}.settings.createOptions.HostConfig.${key}`;
    if (isEmpty(value)) continue;
    if (key !== 'PortBindings' || !isJsonObject(value)) {
      remark(optionPath, 'is a setting of Docker: nothing to do');
      continue;
    }
    for (const port of Object.keys(value)) {
      const advice = Object.hasOwn(PORTS, port) ? PORTS[port] : undefined;
      remark(
        `${optionPath}.${port}`,
        advice ?? 'is a port of Azure IoT Edge without an equivalent: see docs/reference/listeners.md',
      );
    }
  }
  for (const [key, value] of Object.entries(options)) {
    if (key !== 'HostConfig' && !isEmpty(value))
      remark(`${path}.settings.createOptions.${key}`, 'is a setting of Docker: nothing to do');
  }
}
