import { describeKills } from '../chaos/kill-suite.ts';

describeKills({ kills: 200, limitMs: 1_200_000 });
