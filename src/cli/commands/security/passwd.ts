import { Failure } from '../../../core/errors.ts';
import { hashPassword } from '../../../crypto/passwords.ts';
import { argumentsOf } from '../../arguments.ts';
import { MAX_PASSWORD_BYTES } from '../../limits.ts';
import { PASSWD } from '../../reference/security.ts';
import { print, systemRandom } from '../../system.ts';
import { readSecret } from './secret.ts';

/**
 * Prints the hash of a password for the manifest. Reads the password from standard input, because every user
 * of the machine can see the arguments of a process.
 */
export async function run(args: readonly string[]): Promise<number> {
  argumentsOf(PASSWD, args);
  const password = await readSecret('Password: ');
  if (process.stdin.isTTY && !password.equals(await readSecret('Again: '))) {
    throw new Failure('usage', 'The two are not the same.');
  }
  if (password.length === 0) throw new Failure('usage', 'The password is empty.');
  if (password.length > MAX_PASSWORD_BYTES) {
    throw new Failure('usage', `The password is longer than ${MAX_PASSWORD_BYTES} bytes.`);
  }
  print(await hashPassword(password, systemRandom));
  return 0;
}
