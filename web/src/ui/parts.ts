// The parts of the page that most readers never see, or see late: each is loaded when it is first needed.
import { lazy } from './lazy.tsx';
import { loader } from '../load.ts';
import { DrawingPlace, LinePlace, RecentPlace, Skeleton } from './places.tsx';

export const Details = lazy(
  loader(() => import('./Details.tsx')),
  (module) => module.Details,
);
export const LinkedEvent = lazy(
  loader(() => import('./LinkedEvent.tsx')),
  (module) => module.LinkedEvent,
);
export const ExportPanel = lazy(
  loader(() => import('./Export.tsx')),
  (module) => module.ExportPanel,
);
export const Keys = lazy(
  loader(() => import('./Keys.tsx')),
  (module) => module.Keys,
);
export const NothingMatches = lazy(
  loader(() => import('./NothingMatches.tsx')),
  (module) => module.NothingMatches,
);
export const MorePanel = lazy(
  loader(() => import('./MorePanel.tsx')),
  (module) => module.MorePanel,
);
export const Completions = lazy(
  loader(() => import('./Completions.tsx')),
  (module) => module.Completions,
);
export const RelatedEvents = lazy(
  loader(() => import('./Around.tsx')),
  (module) => module.RelatedEvents,
);
export const ActorCard = lazy(
  loader(() => import('./Around.tsx')),
  (module) => module.ActorCard,
);
export const QueryFlaw = lazy(
  loader(() => import('./QueryFlaw.tsx')),
  (module) => module.QueryFlaw,
);
export const FilterChoices = lazy(
  loader(() => import('./FilterChoices.tsx')),
  (module) => module.FilterChoices,
);
export const RangePanel = lazy(
  loader(() => import('./RangePanel.tsx')),
  (module) => module.RangePanel,
);
export const Histogram = lazy(
  loader(() => import('./Histogram.tsx')),
  (module) => module.Histogram,
  { Place: DrawingPlace },
);
export const loadRecent = loader(() => import('./Recent.tsx'));
export const Recent = lazy(loadRecent, (module) => module.Recent, {
  Place: ({ texts, config }) => RecentPlace({ texts, rows: config.pageSize }),
  isOfList: true,
});
const loadClosed = loader(() => import('./Closed.tsx'));
export const ClosedState = lazy(loadClosed, (module) => module.ClosedState, {
  Place: ({ texts, config }) => Skeleton({ texts, whole: config.standalone ? 'page' : 'part' }),
});
export const TokenForm = lazy(loadClosed, (module) => module.TokenForm);
export const SetupText = lazy(loadClosed, (module) => module.SetupText, { Place: LinePlace });
export const ChooseLog = lazy(
  loader(() => import('./ChooseLog.tsx')),
  (module) => module.ChooseLog,
);
