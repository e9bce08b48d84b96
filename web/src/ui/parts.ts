// The parts of the page that most readers never see, or see late: each is loaded when it is first needed.
import { lazy } from './lazy.tsx';
import { loader } from '../load.ts';
import { DrawingPlace, RecentPlace, Skeleton } from './places.tsx';

// Styles of several parts are loaded beside them, and not by them: of a module that is imported, browsers remember a failure for as long as the
// page stands, whoever asks again.
const choicesStyle = loader(() => import('../styles/choicesStyle.ts'));
const detailsStyle = loader(() => import('../styles/detailsStyle.ts'));
const inPanel = { styles: [choicesStyle] };
const inDetails = { styles: [detailsStyle, choicesStyle] };

export const Details = lazy(
  loader(() => import('./Details.tsx')),
  (module) => module.Details,
  inDetails,
);
export const LinkedEvent = lazy(
  loader(() => import('./LinkedEvent.tsx')),
  (module) => module.LinkedEvent,
  inDetails,
);
const loadManaged = loader(() => import('./Managed.tsx'));
export const Retention = lazy(loadManaged, (module) => module.Retention);
export const ExportMenu = lazy(loadManaged, (module) => module.ExportMenu, inPanel);
export const Keys = lazy(
  loader(() => import('./Keys.tsx')),
  (module) => module.Keys,
  inPanel,
);
export const NothingMatches = lazy(
  loader(() => import('./NothingMatches.tsx')),
  (module) => module.NothingMatches,
  inPanel,
);
export const MorePanel = lazy(
  loader(() => import('./MorePanel.tsx')),
  (module) => module.MorePanel,
  inPanel,
);
export const Completions = lazy(
  loader(() => import('./Completions.tsx')),
  (module) => module.Completions,
  inPanel,
);
const loadAround = loader(() => import('./Around.tsx'));
export const RelatedEvents = lazy(loadAround, (module) => module.RelatedEvents, inDetails);
export const ActorCard = lazy(loadAround, (module) => module.ActorCard, inDetails);
export const QueryFlaw = lazy(
  loader(() => import('./QueryFlaw.tsx')),
  (module) => module.QueryFlaw,
  inPanel,
);
export const FilterChoices = lazy(
  loader(() => import('./FilterChoices.tsx')),
  (module) => module.FilterChoices,
  inPanel,
);
export const RangePanel = lazy(
  loader(() => import('./RangePanel.tsx')),
  (module) => module.RangePanel,
  inPanel,
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
  ...inPanel,
});
export const TokenForm = lazy(loadClosed, (module) => module.TokenForm, inPanel);
export const SetupText = lazy(loadClosed, (module) => module.SetupText);
export const ChooseLog = lazy(
  loader(() => import('./ChooseLog.tsx')),
  (module) => module.ChooseLog,
  inPanel,
);
