//! For how long events are kept, as a product file says it.

use std::{collections::BTreeSet, fmt};

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

impl Product {
    /// For how long events of a level are kept where the organization `wishes`, by level and by the empty name for all
    /// levels: what is wished for the level, else for all, else what the file says of the level, else of the product.
    /// Nothing is kept shorter than the file's floor.
    #[must_use]
    pub fn keeps(&self, level: &str, wishes: impl Fn(&str) -> Option<Keep>) -> Keep {
        let of_file = || self.level(level).and_then(|(_, level)| level.retention).unwrap_or(self.retention);
        match wishes(level).or_else(|| wishes("")).unwrap_or_else(of_file) {
            Keep::Forever => Keep::Forever,
            Keep::Days(days) => Keep::Days(days.max(self.retention_floor)),
        }
    }

    /// The numbers of days that events of some level are kept for.
    #[must_use]
    pub fn kept_days(&self, wishes: impl Fn(&str) -> Option<Keep>) -> BTreeSet<i64> {
        self.levels.iter().filter_map(|level| self.keeps(&level.name, &wishes).days()).collect()
    }

    /// All that [`Self::keeps`] says, in words that change when it does.
    #[must_use]
    pub fn retention_rules(&self, wishes: impl Fn(&str) -> Option<Keep>) -> String {
        let rule = |name: &str| format!("{name}: {}", self.keeps(name, &wishes));
        self.levels.iter().map(|level| rule(&level.name)).collect::<Vec<_>>().join("; ")
    }
}
