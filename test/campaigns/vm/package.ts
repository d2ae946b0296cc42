import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DEBIAN_ARCHITECTURES, makeDebianPackage } from '../../../build/package/debian.ts';
import { debianFiles } from '../../../build/package/files.ts';
import type { Architecture } from './kernel.ts';

/** Debian package of a built binary, which a campaign installs at once. */
export type CampaignPackage = {
  /** Path of the binary. The licences lie beside it. */
  readonly binary: string;
  readonly architecture: Architecture;
  readonly version: string;
  /** Work folder, which is removed. */
  readonly work: string;
  readonly output: string;
};

/** Makes the package. Hardly compressed, because the emulated machine that unpacks it is slow. */
export function makeCampaignPackage(settings: CampaignPackage): void {
  const { binary, architecture, version, work, output } = settings;
  process.env['DPKG_DEB_COMPRESSOR_LEVEL'] = '0';
  rmSync(work, { recursive: true, force: true });
  makeDebianPackage({
    files: debianFiles(
      binary,
      join(binary, '../THIRD-PARTY-LICENSES'),
      `skerry (${version}) stable; urgency=medium\n`,
    ),
    version,
    architecture: DEBIAN_ARCHITECTURES[architecture],
    seconds: 1_700_000_000,
    work,
    output,
  });
  rmSync(work, { recursive: true });
}
