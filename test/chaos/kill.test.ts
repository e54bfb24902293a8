import { describeKills } from './kill-suite.ts';

describeKills({ kills: 20, limitMs: 120_000 });
