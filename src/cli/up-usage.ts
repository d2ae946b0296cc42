/** By itself: the help tells it without loading a hub. */
export const usage = 'skerry up [manifest] [--data DIR]';
