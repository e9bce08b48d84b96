//! For how long events are kept, as a product file says it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::Product;

/// For how long events are kept, counted from their recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// They never leave.
    Forever,
    /// So many days, at least one.
    Days(i64),
}

impl Keep {
    /// `None` for ever, else the days: as it is stored.
    #[must_use]
    pub fn days(self) -> Option<i64> {
        match self {
            Self::Forever => None,
            Self::Days(days) => Some(days),
        }
    }

    /// The other way round.
    #[must_use]
    pub fn of(days: Option<i64>) -> Self {
        days.map_or(Self::Forever, Self::Days)
    }

    /// Reads `forever` or `400 days`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "forever" {
            return Some(Self::Forever);
        }
        let days = text.strip_suffix(" days")?.parse().ok()?;
        (1..=Self::LONGEST).contains(&days).then_some(Self::Days(days))
    }

    /// No number of days is larger: a thousand years.
    pub const LONGEST: i64 = 366_000;
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forever => f.write_str("forever"),
            Self::Days(days) => write!(f, "{days} days"),
        }
    }
}

/// For how long events of a plan are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRule {
    /// The plan.
    pub plan: String,
    /// For how long.
    pub keep: Keep,
}

/// What an organization has to say of its retention.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The plan that is kept for it, where one is.
    pub plan: Option<String>,
    /// What it wants other than its product says: by level, by the empty name for all levels.
    pub levels: BTreeMap<String, Keep>,
}

impl Wishes {
    /// What it wants for a level itself; for all levels where that is empty.
    #[must_use]
    pub fn of(&self, level: &str) -> Option<Keep> {
        self.levels.get(level).copied()
    }
}

impl Product {
    /// For how long events of a level are kept: what the organization wishes for the level, else for all, else what the file
    /// says of the level, by the organization's plan or for all, else of the product, in the same way. Nothing is kept shorter
    /// than the file's floor.
    #[must_use]
    pub fn keeps(&self, level: &str, wishes: &Wishes) -> Keep {
        let by_plan = |rules: &[PlanRule]| {
            let plan = wishes.plan.as_deref()?;
            rules.iter().find(|rule| self.access.is_same(&rule.plan, plan)).map(|rule| rule.keep)
        };
        let of_level = || {
            let (_, level) = self.level(level)?;
            by_plan(&level.retention_by_plan).or(level.retention)
        };
        let of_file = || of_level().or_else(|| by_plan(&self.retention_by_plan)).unwrap_or(self.retention);
        match wishes.of(level).or_else(|| wishes.of("")).unwrap_or_else(of_file) {
            Keep::Forever => Keep::Forever,
            Keep::Days(days) => Keep::Days(days.max(self.retention_floor)),
        }
    }

    /// The numbers of days that events of some level are kept for.
    #[must_use]
    pub fn kept_days(&self, wishes: &Wishes) -> BTreeSet<i64> {
        self.levels.iter().filter_map(|level| self.keeps(&level.name, wishes).days()).collect()
    }

    /// Whether events of some level and plan leave, whatever organizations wish.
    #[must_use]
    pub fn removes_anything(&self) -> bool {
        let of_levels = self.levels.iter().flat_map(|level| &level.retention_by_plan);
        let mut of_plans = self.retention_by_plan.iter().chain(of_levels);
        of_plans.any(|rule| rule.keep != Keep::Forever) || !self.kept_days(&Wishes::default()).is_empty()
    }

    /// All that [`Self::keeps`] says, in words that change when it does.
    #[must_use]
    pub fn retention_rules(&self, wishes: &Wishes) -> String {
        let rule = |name: &str| format!("{name}: {}", self.keeps(name, wishes));
        self.levels.iter().map(|level| rule(&level.name)).collect::<Vec<_>>().join("; ")
    }
}
