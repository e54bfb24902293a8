import { build } from '../../scripts/build.ts';

/** The tests that start the product start what `npm start` starts: the build, made fresh where stale. */
export default async function setup(): Promise<void> {
  await build({ onlyIfStale: true });
}
