// The parts of the page that most readers never see, or see late: each is loaded when it is first needed.
import { lazy } from './lazy.tsx';

export const Details = lazy(() => import('./Details.tsx').then((module) => module.Details));
export const LinkedEvent = lazy(() => import('./LinkedEvent.tsx').then((module) => module.LinkedEvent));
export const ExportPanel = lazy(() => import('./Export.tsx').then((module) => module.ExportPanel));
export const Keys = lazy(() => import('./Keys.tsx').then((module) => module.Keys));
export const NothingMatches = lazy(() => import('./NothingMatches.tsx').then((module) => module.NothingMatches));
export const MorePanel = lazy(() => import('./MorePanel.tsx').then((module) => module.MorePanel));
