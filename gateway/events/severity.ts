/** How bad a nonconformance is; `UNKNOWN` where the vendor's word says nothing we know. */
export type NcrSeverity = 'MINOR' | 'MAJOR' | 'CRITICAL' | 'UNKNOWN';

/** How bad an alarm is, in the three levels that machine tools report to OPC UA. */
export type AlarmSeverity = 'MESSAGE' | 'WARNING' | 'ERROR' | 'UNKNOWN';

/**
 * The common enum for a nonconformance's severity. The vendor's word stays beside it in the data.
 * @param severity the vendor's word; its documentation says MINOR, MAJOR and HIGH, its database CRITICAL for the last
 */
export function normaliseNcrSeverity(severity: unknown): NcrSeverity {
  return NCR_SEVERITIES.get(wordOf(severity)) ?? 'UNKNOWN';
}

/**
 * The common enum for an alarm's severity. The vendor's word stays beside it in the data.
 * @param severity a word, or an OPC UA severity from 1 to 1000 as number or text
 */
export function normaliseAlarmSeverity(severity: unknown): AlarmSeverity {
  const word = wordOf(severity);
  if (/^\d{1,4}$/.test(word)) return alarmLevelOf(Number(word));
  return ALARM_SEVERITIES.get(word) ?? 'UNKNOWN';
}

/** The bands of OPC 40501-1, section 8.6.2. */
function alarmLevelOf(severity: number): AlarmSeverity {
  if (severity < 1 || severity > 1000) return 'UNKNOWN';
  if (severity >= 667) return 'ERROR';
  return severity >= 334 ? 'WARNING' : 'MESSAGE';
}

function wordOf(severity: unknown): string {
  if (typeof severity === 'number') return Number.isFinite(severity) ? String(Math.round(severity)) : '';
  return typeof severity === 'string' ? severity.trim().toUpperCase() : '';
}

const NCR_SEVERITIES: ReadonlyMap<string, NcrSeverity> = new Map<string, NcrSeverity>([
  ['LOW', 'MINOR'],
  ['MINOR', 'MINOR'],
  ['MEDIUM', 'MAJOR'],
  ['MAJOR', 'MAJOR'],
  ['HIGH', 'CRITICAL'],
  ['CRITICAL', 'CRITICAL'],
  ['URGENT', 'CRITICAL'],
]);

/** Words of MTConnect conditions, SCADA priorities, andon boards and the MES's own alerts. */
const ALARM_SEVERITIES: ReadonlyMap<string, AlarmSeverity> = new Map<string, AlarmSeverity>([
  ['DIAGNOSTIC', 'MESSAGE'],
  ['INFO', 'MESSAGE'],
  ['INFORMATION', 'MESSAGE'],
  ['LOW', 'MESSAGE'],
  ['MESSAGE', 'MESSAGE'],
  ['NORMAL', 'MESSAGE'],
  ['NOTICE', 'MESSAGE'],
  ['MEDIUM', 'WARNING'],
  ['MINOR', 'WARNING'],
  ['WARN', 'WARNING'],
  ['WARNING', 'WARNING'],
  ['CRITICAL', 'ERROR'],
  ['EMERGENCY', 'ERROR'],
  ['ERROR', 'ERROR'],
  ['FATAL', 'ERROR'],
  ['FAULT', 'ERROR'],
  ['HIGH', 'ERROR'],
  ['MAJOR', 'ERROR'],
  ['URGENT', 'ERROR'],
]);
