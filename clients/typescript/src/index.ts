export type { Fault, Receipt } from './answer.ts';
export type { Actor, ActorKind, AuditEvent, LogRef, Outcome, Resource } from './event.ts';
export {
  type Counts,
  type Incident,
  type RecordOptions,
  type Recorded,
  type RecorderOptions,
  RecordingError,
} from './options.ts';
export { Recorder } from './recorder.ts';
export type { TokenSource } from './sender.ts';
export type { SpoolSize } from './spool.ts';
