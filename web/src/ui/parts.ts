// The parts of the page that most readers never see, or see late: each is loaded when it is first needed.
import { lazy } from './lazy.tsx';

export const Details = lazy(
  () => import('./Details.tsx'),
  (module) => module.Details,
);
export const LinkedEvent = lazy(
  () => import('./LinkedEvent.tsx'),
  (module) => module.LinkedEvent,
);
export const ExportPanel = lazy(
  () => import('./Export.tsx'),
  (module) => module.ExportPanel,
);
export const Keys = lazy(
  () => import('./Keys.tsx'),
  (module) => module.Keys,
);
export const NothingMatches = lazy(
  () => import('./NothingMatches.tsx'),
  (module) => module.NothingMatches,
);
export const MorePanel = lazy(
  () => import('./MorePanel.tsx'),
  (module) => module.MorePanel,
);
export const Completions = lazy(
  () => import('./Completions.tsx'),
  (module) => module.Completions,
);
export const RelatedEvents = lazy(
  () => import('./Around.tsx'),
  (module) => module.RelatedEvents,
);
export const ActorCard = lazy(
  () => import('./Around.tsx'),
  (module) => module.ActorCard,
);
export const QueryFlaw = lazy(
  () => import('./QueryFlaw.tsx'),
  (module) => module.QueryFlaw,
);
export const Choices = lazy(
  () => import('./Choices.tsx'),
  (module) => module.Choices,
);
export const RangePanel = lazy(
  () => import('./RangePanel.tsx'),
  (module) => module.RangePanel,
);
