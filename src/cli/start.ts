import { moduleCommand } from './module.ts';
import { START } from './reference/modules.ts';

export const run = moduleCommand(START);
