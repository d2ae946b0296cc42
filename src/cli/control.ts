import { connect } from 'node:net';
import { Failure, isFailureCode, systemCode } from '../core/errors.ts';
import type { AcceptedDeployment, DeploymentStatus } from '../deployment/deployments.ts';
import type { CertificateStatus } from '../hub/control/certificate-status.ts';
import type {
  ClientRow,
  Page,
  RetainedRow,
  SessionRow,
  ShownSession,
} from '../hub/control/client-control.ts';
import type { ControlReply } from '../hub/control/control.ts';
import { controlPath } from '../hub/control/control.ts';
import type { ShownLetter, ShownWaiting } from '../hub/control/queue-control.ts';
import type { ExplainedRoute, Replay } from '../hub/control/route-control.ts';
import type { HubStatus } from '../hub/status.ts';
import { systemHint } from './data-folder.ts';

/**
 * Type of the answer to each request. Answers are not validated, because the command and the hub are the same
 * binary.
 */
type Answers = {
  readonly status: HubStatus;
  readonly certificates: readonly CertificateStatus[];
  readonly apply: AcceptedDeployment;
  readonly 'apply preview': AcceptedDeployment;
  readonly deployment: DeploymentStatus;
  readonly start: null;
  readonly stop: null;
  readonly restart: null;
  readonly 'queue peek': ShownWaiting[];
  readonly 'queue drop': null;
  readonly 'queue drop all': number;
  readonly 'queue dead': ShownLetter[];
  readonly 'queue dead replay': null;
  readonly 'queue dead drop': null;
  readonly sessions: Page<SessionRow>;
  readonly 'sessions show': ShownSession;
  readonly 'sessions drop': null;
  readonly 'sessions drop all': number;
  readonly clients: Page<ClientRow>;
  readonly 'clients kick': null;
  readonly retained: Page<RetainedRow>;
  readonly 'retained clear': number;
  readonly 'routes explain': readonly ExplainedRoute[];
  readonly 'routes replay': Replay;
};

/**
 * Sends a request to the hub that uses the given data folder. Throws Failure `hub.unreachable`, or the
 * failure in the hub's answer.
 */
export async function ask<Command extends keyof Answers>(
  folder: string,
  command: Command,
  ...args: readonly string[]
): Promise<Answers[Command]> {
  const reply: { result: Answers[Command] } | Extract<ControlReply, { failure: unknown }> = JSON.parse(
    await request(folder, `${JSON.stringify({ command, args })}\n`),
  );
  if ('result' in reply) return reply.result;
  const { code, sentence } = reply.failure;
  throw new Failure(isFailureCode(code) ? code : 'hub.refused', sentence);
}

function request(folder: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(controlPath(folder));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', error => reject(unreachable(folder, error)));
    socket.on('close', () => {
      if (text.endsWith('\n')) resolve(text);
      else reject(unreachable(folder, undefined));
    });
    socket.write(line);
  });
}

export function unreachable(folder: string, error: Error | undefined): Failure {
  const code = systemCode(error);
  if (code === 'EACCES') {
    return new Failure('hub.unreachable', `You may not talk to the hub of ${folder}: use its user, or root.`);
  }
  const hint = systemHint(folder);
  return new Failure(
    'hub.unreachable',
    `No hub answers in ${folder}: start one with "skerry up", or name its folder with --data DIR${hint === undefined ? '' : `; ${hint}`}.`,
  );
}
